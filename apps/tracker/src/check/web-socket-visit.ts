// What a WebTorrent peer would see: two sockets announce, the second's offer must reach the first.
// The protocol is that of @shoal/tracker-protocol's README.
import { randomBytes } from 'node:crypto';
import type { LookupFunction } from 'node:net';
import { WebSocket } from 'ws';
import { type Blindness, type Sight, type VisitOptions, randomPeerId } from './sight.ts';
import type { Target } from './targets.ts';
import { unreached } from './unreached.ts';

/** A message, as far as it is looked at. */
type Message = Readonly<Record<string, unknown>>;

/** Visits a tracker over a WebSocket. */
export async function visitWebSocket(
  target: Target,
  { infoHash, timeoutMs }: VisitOptions,
): Promise<Sight | Blindness> {
  const started = performance.now();
  const [first, second] = [new Visitor(infoHash, timeoutMs), new Visitor(infoHash, timeoutMs)];
  try {
    await first.open(target);
    await second.open(target);
    const joined = await first.announce([]);
    const latencyMs = performance.now() - started;
    if (typeof joined['failure reason'] === 'string') return { failure: 'refused', reason: joined['failure reason'] };
    const offered = first.next((message) => 'offer' in message);
    const { complete, incomplete } = await second.announce([
      { offer: { type: 'offer', sdp: 'v=0' }, offer_id: idText(randomBytes(20)) },
    ]);
    const found = await offered.then(
      () => true,
      () => false,
    );
    const counts = isCount(complete) && isCount(incomplete) ? { complete, incomplete } : undefined;
    const interval = isCount(joined['interval']) ? joined['interval'] : 0;
    return {
      latencyMs,
      interval,
      minInterval: undefined,
      externalIp: undefined,
      listedAs: undefined,
      found,
      counts,
      warning: undefined,
    };
  } catch (error) {
    if (!(error instanceof VisitError)) throw error;
    return unreached(error.cause, error.message);
  } finally {
    first.close();
    second.close();
  }
}

class VisitError extends Error {}

/** Bytes of a message: an answer has a few hundred, an offer some thousand. */
const mostBytes = 262_144;

const goodbyeMs = 1000;

/** Who waits for a message. */
interface Waiting {
  readonly fits: (message: Message) => boolean;
  readonly resolve: (message: Message) => void;
  readonly reject: (error: VisitError) => void;
}

const isSilent = 'the WebSocket is open but no answer came';

/** A peer behind a socket. */
class Visitor {
  readonly #infoHash: string;
  readonly #peerId: string = idText(randomPeerId());
  readonly #timeoutMs: number;
  readonly #waiting = new Set<Waiting>();
  #socket: WebSocket | undefined;

  constructor(infoHash: Uint8Array, timeoutMs: number) {
    this.#infoHash = idText(infoHash);
    this.#timeoutMs = timeoutMs;
  }

  /** Connects to the address while asking for the name, by which a proxy may go. @throws VisitError */
  async open({ url, address, family }: Target): Promise<void> {
    const lookup: LookupFunction = (_name, { all }, found) =>
      all === true ? found(null, [{ address, family }]) : found(null, address, family);
    const socket = new WebSocket(url, { lookup, family, perMessageDeflate: false, maxPayload: mostBytes });
    this.#socket = socket;
    // One buffer for each message.
    socket.binaryType = 'nodebuffer';
    socket.on('message', (bytes, isBinary) => {
      if (!isBinary && Buffer.isBuffer(bytes)) this.#hear(bytes.toString());
    });
    socket.once('close', () => this.#waiting.forEach(({ reject }) => reject(new VisitError(isSilent))));
    const { promise: opened, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new VisitError('no answer in time')), this.#timeoutMs);
    socket.once('open', resolve);
    socket.once('unexpected-response', (_request, { statusCode }) =>
      reject(new VisitError(`no WebSocket is served there (status ${statusCode})`)),
    );
    // Errors that come after the first one say nothing more.
    socket.on('error', (cause) =>
      reject(
        'code' in cause
          ? new VisitError('no WebSocket is served there', { cause })
          : new VisitError('what is served there is no WebSocket'),
      ),
    );
    await opened.finally(() => clearTimeout(timer));
  }

  /** The answer to an announce. */
  announce(offers: readonly object[]): Promise<Message> {
    const answer = this.next((message) => 'interval' in message || 'failure reason' in message);
    const amounts = { uploaded: 0, downloaded: 0, left: 16_384 };
    const ids = { info_hash: this.#infoHash, peer_id: this.#peerId };
    this.#socket?.send(
      JSON.stringify({ action: 'announce', event: 'started', ...ids, ...amounts, numwant: offers.length, offers }),
    );
    return answer;
  }

  /** The next message of ours that `fits`. @throws VisitError when none comes */
  next(fits: (message: Message) => boolean): Promise<Message> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const timer = setTimeout(() => reject(new VisitError(isSilent)), this.#timeoutMs);
    const waiting = { fits, resolve, reject };
    this.#waiting.add(waiting);
    const done = promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    });
    // Another one may be waited for first.
    done.catch(() => {});
    return done;
  }

  close(): void {
    const socket = this.#socket;
    socket?.close();
    // Whoever does not answer a goodbye is not waited for.
    setTimeout(() => socket?.terminate(), goodbyeMs).unref();
  }

  #hear(text: string): void {
    const message = messageIn(text);
    if (message?.['info_hash'] !== this.#infoHash) return;
    for (const { fits, resolve } of this.#waiting) if (fits(message)) resolve(message);
  }
}

/** 20 bytes as 20 characters. */
function idText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function messageIn(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
