// What a WebTorrent peer would see: two sockets announce, the second's offer must reach the first.
// The protocol is that of @shoal/tracker-protocol's README; the socket is the one of Node.
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Target } from './targets.ts';
import { type Blindness, type Sight, type VisitOptions, randomPeerId } from './sight.ts';

/** A message, as far as it is looked at. */
type Message = Readonly<Record<string, unknown>>;

/** Visits a tracker over a WebSocket. */
export async function visitWebSocket(
  target: Target,
  { infoHash, timeoutMs }: VisitOptions,
): Promise<Sight | Blindness> {
  const started = performance.now();
  const first = new Visitor(socketUrl(target), infoHash, timeoutMs);
  const second = new Visitor(socketUrl(target), infoHash, timeoutMs);
  try {
    await Promise.all([first.opened, second.opened]);
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
    return { failure: 'silent', reason: error.message };
  } finally {
    first.close();
    second.close();
  }
}

class VisitError extends Error {}

/** A peer behind a socket. */
class Visitor {
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  readonly #infoHash: string;
  readonly #peerId: string = idText(randomPeerId());
  readonly #timeoutMs: number;

  constructor(url: string, infoHash: Uint8Array, timeoutMs: number) {
    this.#socket = new WebSocket(url);
    this.#infoHash = idText(infoHash);
    this.#timeoutMs = timeoutMs;
    this.opened = this.#within('no WebSocket is served there', (resolve, reject, signal) => {
      this.#socket.addEventListener('open', () => resolve(undefined), { signal });
      this.#socket.addEventListener('error', () => reject(), { signal });
    });
    // The other of the two may fail first.
    this.opened.catch(() => {});
  }

  /** The answer to an announce. */
  announce(offers: readonly object[]): Promise<Message> {
    const answer = this.next((message) => 'interval' in message || 'failure reason' in message);
    const amounts = { uploaded: 0, downloaded: 0, left: 16_384 };
    const ids = { info_hash: this.#infoHash, peer_id: this.#peerId };
    this.#socket.send(
      JSON.stringify({ action: 'announce', event: 'started', ...ids, ...amounts, numwant: offers.length, offers }),
    );
    return answer;
  }

  /** The next message of ours that `fits`. @throws VisitError when none comes */
  next(fits: (message: Message) => boolean): Promise<Message> {
    const promise = this.#within<Message>('the WebSocket is open but no answer came', (resolve, reject, signal) => {
      this.#socket.addEventListener(
        'message',
        ({ data }) => {
          const message = messageIn(data);
          if (message?.['info_hash'] === this.#infoHash && fits(message)) resolve(message);
        },
        { signal },
      );
      this.#socket.addEventListener('close', () => reject(), { signal });
    });
    promise.catch(() => {});
    return promise;
  }

  close(): void {
    this.#socket.close();
  }

  async #within<Value>(
    failure: string,
    listen: (resolve: (value: Value) => void, reject: () => void, signal: AbortSignal) => void,
  ): Promise<Value> {
    const done = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<Value>();
    const fail = (): void => reject(new VisitError(failure));
    const timer = setTimeout(fail, this.#timeoutMs);
    listen(resolve, fail, done.signal);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      done.abort();
    }
  }
}

/** A certificate is for a name, so only without one the address itself can be asked for. */
function socketUrl({ transport, url, address }: Target): string {
  if (transport === 'wss') return url;
  const { port, pathname, search } = new URL(url);
  return `ws://${isIPv6(address) ? `[${address}]` : address}:${port || '80'}${pathname}${search}`;
}

/** 20 bytes as 20 characters. */
function idText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

function messageIn(data: unknown): Message | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === 'object' && value !== null ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
