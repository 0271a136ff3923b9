// Talks to UDP trackers: connection ids and their life, retransmission, one socket per family. Explicit lifetime:
// whoever makes one closes it. BEP 15, 41.
import { isIPv6 } from 'node:net';
import {
  canonicalIp,
  encodeUdpAnnounceRequest,
  encodeUdpConnectRequest,
  encodeUdpScrapeRequest,
  infoHashHex,
} from '@shoal/tracker-protocol';
import type { AnnounceReply, AnnounceRequest, IpFamily, ScrapeReply } from '@shoal/tracker-protocol';
import type { UdpConnectionId, UdpReply } from '@shoal/tracker-protocol';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { TrackerError } from './errors.ts';
import { defaults } from './options.ts';
import type { TrackerRequestOptions } from './options.ts';
import { resolveHost } from './resolve.ts';
import { parseTrackerUrl } from './tracker-url.ts';
import type { TrackerUrl } from './tracker-url.ts';
import { UdpSocket } from './udp-socket.ts';
import type { UdpPeer } from './udp-socket.ts';

export interface UdpClientOptions {
  /**
   * Milliseconds to wait before each retransmission, and after the last before giving up. Default 5, 10 and 15 s: in
   * all 30 s, as libtorrent's 10 and 20 s. `bep15RetransmitMs` is the specification's schedule of two hours.
   */
  readonly retransmitMs?: readonly number[];
  /** Time. Default: the system's monotonic clock. */
  readonly clock?: Clock;
}

/** Sockets and connection ids that are kept between requests. Idle, it keeps no process alive. */
export class UdpClient implements AsyncDisposable {
  readonly #retransmitMs: readonly number[];
  readonly #clock: Clock;
  readonly #sockets = new Map<string, Promise<UdpSocket>>();
  readonly #connections = new Map<string, Connection>();
  #closed = false;

  constructor(options: UdpClientOptions = {}) {
    this.#retransmitMs = options.retransmitMs ?? defaults.retransmitMs;
    this.#clock = options.clock ?? systemClock;
    if (this.#retransmitMs.length === 0) throw new RangeError('A datagram is sent at least once');
  }

  /** @throws TrackerError */
  async announce(
    url: string,
    request: AnnounceRequest,
    options: TrackerRequestOptions,
    signal: AbortSignal,
  ): Promise<AnnounceReply> {
    const target = parseTrackerUrl(url);
    const urlData = target.pathAndQuery === '/' ? '' : target.pathAndQuery;
    const reply = await this.#ask(target, { url, options, signal }, 'announce', (packet, id, connection) =>
      encodeUdpAnnounceRequest(packet, id, connection, request, urlData),
    );
    return reply.reply;
  }

  /** At most 74 hashes. @throws TrackerError */
  async scrape(
    url: string,
    infoHashes: readonly Uint8Array[],
    options: TrackerRequestOptions,
    signal: AbortSignal,
  ): Promise<ScrapeReply> {
    const target = parseTrackerUrl(url);
    const { counts } = await this.#ask(target, { url, options, signal }, 'scrape', (packet, id, connection) =>
      encodeUdpScrapeRequest(packet, id, connection, infoHashes),
    );
    const answered = infoHashes.slice(0, counts.length);
    return { files: new Map(answered.map((infoHash, index) => [infoHashHex(infoHash), counts[index]!])) };
  }

  /** Closes the sockets; requests under way, and all later ones, reject with code `aborted`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    this.#connections.clear();
    for (const opened of await Promise.allSettled(sockets)) {
      if (opened.status === 'fulfilled') await opened.value.close();
    }
  }

  async #ask<Action extends 'announce' | 'scrape'>(
    target: TrackerUrl,
    call: Call,
    action: Action,
    write: (packet: Uint8Array, id: number, connection: UdpConnectionId) => number,
  ): Promise<Extract<UdpReply, { action: Action }>> {
    // A request that is none throws its RangeError here, before anything is sent.
    write(new Uint8Array(packetBytes), 0, { high: 0, low: 0 });
    const peer = await this.#reach(target, call);
    // An id from an earlier request may have been forgotten by a tracker that was restarted: that is worth one retry.
    let mayBeStale = peer.fromMemory;
    for (;;) {
      const connection = this.#live(peer, call) ?? (await this.#connect(peer, call));
      const reply = await this.#exchange(peer, call, action, connection.expiresAt, (packet, id) =>
        write(packet, id, connection.id),
      );
      if (reply === undefined) continue;
      if (reply.action === action) return reply as Extract<UdpReply, { action: Action }>;
      this.#connections.delete(keyOf(peer, call));
      if (!mayBeStale) throw refusal(call, reply);
      mayBeStale = false;
    }
  }

  /** The address to talk to: one with a live connection, else whichever answers a connect first. */
  async #reach(target: TrackerUrl, call: Call): Promise<Reached> {
    const { family, localAddress, lookup } = call.options;
    const wanted = localAddress === undefined ? family : isIPv6(localAddress) ? 6 : 4;
    const addresses = await resolveHost(call.url, target.host, wanted, lookup);
    const candidates: Reached[] = [];
    for (const { address, family: found } of addresses) {
      if (candidates.some((candidate) => candidate.family === found)) continue;
      const canonical = canonicalIp(address) ?? address;
      candidates.push({ address: canonical, family: found, port: target.port, attempts: 0, fromMemory: false });
    }
    const known = candidates.find((candidate) => this.#live(candidate, call) !== undefined);
    if (known !== undefined) return { ...known, fromMemory: true };
    return candidates.length === 1 ? candidates[0]! : this.#race(candidates, call);
  }

  // A name with addresses of both families, only one of which works, is common ("localhost" above all): the second
  // address is tried too when the first is silent, as RFC 8305 does for TCP.
  async #race(candidates: readonly Reached[], call: Call): Promise<Reached> {
    const decided = new AbortController();
    const signal = AbortSignal.any([call.signal, decided.signal]);
    const attempts = candidates.map(async (candidate, index) => {
      if (index > 0) await this.#pause(index * headStartMs, signal);
      await this.#connect(candidate, { ...call, signal });
      return candidate;
    });
    try {
      return await Promise.any(attempts);
    } catch (error) {
      throw (error as AggregateError).errors[0];
    } finally {
      decided.abort(new TrackerError('aborted', call.url));
    }
  }

  async #connect(peer: Reached, call: Call): Promise<Connection> {
    const reply = await this.#exchange(peer, call, 'connect', Infinity, encodeUdpConnectRequest);
    if (reply?.action !== 'connect') throw refusal(call, reply);
    const connection = { id: reply.connectionId, expiresAt: this.#clock.now() + connectionLifeMs };
    if (this.#connections.size >= connectionLimit) this.#forgetExpired();
    this.#connections.set(keyOf(peer, call), connection);
    return connection;
  }

  /**
   * Sends one packet, again and again by the schedule, until it is answered. All retransmissions carry one
   * transaction id, so a late answer to the first is as good. Undefined once `expiresAt` has passed.
   */
  async #exchange(
    peer: Reached,
    call: Call,
    action: UdpReply['action'],
    expiresAt: number,
    write: (packet: Uint8Array, id: number) => number,
  ): Promise<UdpReply | undefined> {
    const socket = await this.#socket(peer.family, call);
    call.signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<UdpReply>();
    const cancel = (): void => reject(call.signal.reason);
    call.signal.addEventListener('abort', cancel, { once: true });
    const { minimumInterval } = call.options;
    const transaction = socket.begin({ peer, action, minimumInterval, resolve, reject });
    try {
      const packet = new Uint8Array(packetBytes);
      const bytes = packet.subarray(0, write(packet, transaction.id));
      while (this.#clock.now() < expiresAt) {
        socket.send(transaction, bytes);
        const reply = await this.#within(this.#retransmitMs[peer.attempts]!, promise);
        if (reply !== undefined) return reply;
        peer.attempts++;
        if (peer.attempts === this.#retransmitMs.length) throw new TrackerError('timeout', call.url);
      }
      return undefined;
    } catch (cause) {
      if (cause instanceof TrackerError) throw cause;
      throw new TrackerError(this.#closed ? 'aborted' : 'unreachable', call.url, { cause });
    } finally {
      socket.end(transaction);
      call.signal.removeEventListener('abort', cancel);
    }
  }

  async #within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
    let cancel = (): void => {};
    const silence = new Promise<undefined>((resolve) => {
      cancel = this.#clock.after(ms, () => resolve(undefined));
    });
    try {
      return await Promise.race([promise, silence]);
    } finally {
      cancel();
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    await this.#within(ms, aborted);
  }

  async #socket(family: IpFamily, { url, options: { localAddress } }: Call): Promise<UdpSocket> {
    if (this.#closed) throw new TrackerError('aborted', url);
    const key = `${family} ${localAddress ?? ''}`;
    const opening = this.#sockets.get(key) ?? UdpSocket.open(family, localAddress);
    this.#sockets.set(key, opening);
    try {
      return await opening;
    } catch (cause) {
      this.#sockets.delete(key);
      throw new TrackerError('unreachable', url, { cause });
    }
  }

  #live(peer: UdpPeer, call: Call): Connection | undefined {
    const connection = this.#connections.get(keyOf(peer, call));
    return connection !== undefined && this.#clock.now() < connection.expiresAt ? connection : undefined;
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [key, { expiresAt }] of this.#connections) if (expiresAt <= now) this.#connections.delete(key);
    if (this.#connections.size >= connectionLimit) this.#connections.clear();
  }
}

interface Call {
  readonly url: string;
  readonly options: TrackerRequestOptions;
  readonly signal: AbortSignal;
}

interface Reached extends UdpPeer {
  /** Retransmissions of this request so far: BEP 15's n, which goes on from connect to announce. */
  attempts: number;
  readonly fromMemory: boolean;
}

interface Connection {
  readonly id: UdpConnectionId;
  readonly expiresAt: number;
}

function keyOf(peer: UdpPeer, { options }: Call): string {
  return `${options.localAddress ?? ''} ${peer.address} ${peer.port}`;
}

function refusal({ url }: Call, reply: UdpReply | undefined): TrackerError {
  return new TrackerError('refused', url, { failureReason: reply?.action === 'error' ? reply.message : undefined });
}

// BEP 15: a client may use an id until one minute after it has received it.
const connectionLifeMs = 60_000;
// RFC 8305's connection attempt delay.
const headStartMs = 250;
// 98 bytes of announce and an URL of at most 8 KiB in chunks (BEP 41), or 74 hashes.
const packetBytes = 98 + 8_192 + 2 * 33;
// Trackers that one process talks to within a minute.
const connectionLimit = 1_000;
