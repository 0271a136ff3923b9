// The package's one error class: a machine under simulation broke its contract with the driver, so the run means nothing.

/**
 * - `broken-contract`: an output asked for something its contract forbids (a piece it never stored, a closed connection…).
 * - `stuck-clock`: a machine's deadline does not move although its time came again and again.
 */
export type SimulationErrorCode = 'broken-contract' | 'stuck-clock';

/** Thrown out of `runUntil` when the code under simulation is wrong. Never thrown for what a simulated fault does. */
export class SimulationError extends Error {
  override readonly name: string = 'SimulationError';
  readonly code: SimulationErrorCode;
  /** Virtual time, in microseconds since the start of the run. */
  readonly timeUs: number;
  /** Name of the simulated peer whose machine is at fault. */
  readonly peer: string;

  constructor(code: SimulationErrorCode, message: string, peer: string, timeUs: number) {
    super(`${peer} at ${timeUs} µs: ${message}`);
    this.code = code;
    this.peer = peer;
    this.timeUs = timeUs;
  }
}
