// What a WebTorrent peer would see: two sockets announce, the second's offer must reach the first.
// The protocol is that of @shoal/tracker-protocol's README.
import { randomBytes } from 'node:crypto';
import { type Blindness, type Sight, type VisitOptions, randomPeerId } from './sight.ts';
import type { Target } from './targets.ts';
import { NoWebSocketError, type TextSocket, openTextSocket } from './text-socket.ts';
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
  #socket: TextSocket | undefined;

  constructor(infoHash: Uint8Array, timeoutMs: number) {
    this.#infoHash = idText(infoHash);
    this.#timeoutMs = timeoutMs;
  }

  /** Connects. @throws VisitError */
  async open({ url, address, family }: Target): Promise<void> {
    const events = {
      message: (text: string) => this.#hear(text),
      closed: () => this.#waiting.forEach(({ reject }) => reject(new VisitError(isSilent))),
    };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), this.#timeoutMs);
    try {
      this.#socket = await openTextSocket(url, { address, family }, events, late.signal);
    } catch (cause) {
      if (late.signal.aborted) throw new VisitError('no answer in time');
      throw cause instanceof NoWebSocketError
        ? new VisitError(cause.message)
        : new VisitError('no WebSocket is served there', { cause });
    } finally {
      clearTimeout(timer);
    }
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
    this.#socket?.close();
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
