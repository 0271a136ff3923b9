// What links and networks are told once. Every default is here and nowhere else.

export interface LinkOptions {
  /** One-way time from this machine to the middle of the network, in ms. Default 15 (two of them: 30 ms, libsimulator's). */
  readonly latencyMs?: number;
  /** Most extra one-way time a segment may meet here, uniformly, in ms. Default 0. */
  readonly jitterMs?: number;
  /** Default 200 000 (libsimulator's). `Infinity` is allowed. */
  readonly uplinkBytesPerSecond?: number;
  /** Default 800 000 (libsimulator's). `Infinity` is allowed. */
  readonly downlinkBytesPerSecond?: number;
}

export interface NetworkOptions {
  /** Longest segment in bytes. Default 16 384: one block, so that fair sharing is as fine as the requests. */
  readonly segmentBytes?: number;
  /** Most bytes of one direction of a connection between the two links. Default 65 536 (TCP's window without scaling). */
  readonly windowBytes?: number;
  /** How long a dial to an address that never answers takes, in ms. Default 10 000. */
  readonly dialTimeoutMs?: number;
}

export const linkDefaults: Required<LinkOptions> = {
  latencyMs: 15,
  jitterMs: 0,
  uplinkBytesPerSecond: 200_000,
  downlinkBytesPerSecond: 800_000,
};

export const networkDefaults: Required<NetworkOptions> = {
  segmentBytes: 16_384,
  windowBytes: 65_536,
  dialTimeoutMs: 10_000,
};
