// Speaks to a tracker as WebTorrent peers do, over a WebSocket of its own: a probe is a peer's connection. What a case
// sends is its own to the last character. Speaks to the target's address alone.
import { once } from 'node:events';
import { type Socket, connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import {
  type SignalReply,
  type SignalRequest,
  TrackerProtocolError,
  decodeSignalReply,
  encodeSignalRequest,
  formatEndpoint,
} from '@shoal/tracker-protocol';
import { WebSocket } from 'ws';
import type { Deadline } from './deadline.ts';
import { ConformanceError } from './errors.ts';
import type { Target } from './target.ts';

/** No case hears more; a tracker that says more is answered by forgetting it. */
const maxKept = 1000;

/** Larger messages than any that a case asks for end the connection. */
const maxReceivedBytes = 1024 * 1024;

/** How long after an answer nothing may follow before it counts as everything. */
const silenceMs = 60;

/** One peer's connection. */
export class SignalProbe {
  readonly #deadline: Deadline;
  readonly #socket: WebSocket;
  readonly #kept: SignalReply[] = [];
  #problem: ConformanceError | undefined;
  #wake: () => void = () => {};

  private constructor(target: Target, deadline: Deadline) {
    const { transport, host, ip, port, path } = target;
    this.#deadline = deadline;
    const authority = formatEndpoint({ ip: host, port });
    this.#socket = new WebSocket(`${transport}://${authority}${path}`, {
      perMessageDeflate: false,
      maxPayload: maxReceivedBytes,
      createConnection: () => connectionTo(transport, ip, port, host),
    });
    this.#socket.on('message', (data: Buffer) => this.#receive(data.toString()));
    this.#socket.on('error', (cause) => this.#end(`the connection failed: ${cause.message}`, cause));
    this.#socket.on('close', (code) => this.#end(`the connection was closed with ${code}`));
  }

  /** Connects. @throws ConformanceError no-connection, no-answer */
  static async open(target: Target, deadline: Deadline, opening: (probe: SignalProbe) => void): Promise<SignalProbe> {
    const probe = new SignalProbe(target, deadline);
    opening(probe);
    await deadline.answer(Promise.race([once(probe.#socket, 'open'), probe.closed]), 'the upgrade');
    if (probe.#problem !== undefined) throw probe.#problem;
    return probe;
  }

  /** Settles when the connection is closed, by whomever. */
  get closed(): Promise<unknown> {
    return this.#socket.readyState === WebSocket.CLOSED ? Promise.resolve() : once(this.#socket, 'close');
  }

  /** Whether the tracker ends the connection before the deadline, or before `waitMs` have passed. */
  async closes(waitMs?: number): Promise<boolean> {
    return (await this.#deadline.within((async () => [await this.closed])(), waitMs)) !== undefined;
  }

  /** Sends a message, or a text that is none. */
  send(message: SignalRequest | string): void {
    this.#socket.send(typeof message === 'string' ? message : encodeSignalRequest(message));
  }

  /**
   * The first message that was not read yet and that `wanted` takes; what comes before it is kept for later.
   * @throws ConformanceError no-answer, no-connection, not-json
   */
  async next<Reply extends SignalReply>(what: string, wanted: (reply: SignalReply) => reply is Reply): Promise<Reply> {
    for (;;) {
      const at = this.#kept.findIndex(wanted);
      const [found] = at < 0 ? [] : this.#kept.splice(at, 1);
      if (found !== undefined && wanted(found)) return found;
      if (this.#problem !== undefined) throw this.#problem;
      await this.#deadline.answer(new Promise<void>((resolve) => (this.#wake = resolve)), what);
    }
  }

  /** Everything that was not read yet, after nothing has come for a while. */
  async rest(): Promise<SignalReply[]> {
    await this.#deadline.within(new Promise(() => {}), silenceMs);
    return this.#kept.splice(0);
  }

  /** Ends the connection without a goodbye. */
  terminate(): void {
    this.#socket.terminate();
  }

  #receive(text: string): void {
    try {
      if (this.#kept.length < maxKept) this.#kept.push(decodeSignalReply(text));
    } catch (error) {
      if (!(error instanceof TrackerProtocolError)) throw error;
      this.#problem ??= new ConformanceError('not-json', `no message of a tracker: ${text.slice(0, 100)}`, error);
    }
    this.#wake();
  }

  #end(why: string, cause?: unknown): void {
    this.#problem ??= new ConformanceError('no-connection', why, cause);
    this.#wake();
  }
}

function connectionTo(transport: string, ip: string, port: number, host: string): Socket {
  if (transport === 'ws') return connect(port, ip);
  // Whether the certificate is good is not what is judged here. RFC 6066 wants a name in SNI, never an address.
  const names = isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ host: ip, port, ...names, rejectUnauthorized: false });
}
