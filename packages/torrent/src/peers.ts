// Which addresses of a swarm are known and when each may be dialled. Decides nothing about live connections.
// Every address comes from a stranger, so the list is bounded and useless ones are refused (clients' practice:
// port 0, unspecified, multicast, our own, banned).
import type { Endpoint } from '@shoal/tracker-protocol';
import type { PeerSource } from './inputs.ts';

interface KnownPeer {
  readonly endpoint: Endpoint;
  readonly source: PeerSource;
  /** A dial of ours is under way. It stays so when the peer connects to us meanwhile. */
  dialing: boolean;
  /** Connections that we know to be with it: both ends may dial at once. */
  live: number;
  /** Its handshake was seen: somebody of the swarm is there, or was. */
  proven: boolean;
  /** Dials in a row that failed or led to nothing. */
  failures: number;
  dialAfter: number;
  /** There was nothing to gain there. */
  aside: boolean;
}

export interface PeerListOptions {
  readonly maxKnownPeers: number;
  readonly retryMs: number;
  readonly random: () => number;
}

/** Past this many failures in a row an address is given up until a tracker names it again (libtorrent: 3). */
const maxFailures = 5;
/**
 * Longest wait for a proven address while nobody is connected: then it is our own network that is gone, more often than
 * all of theirs, and half a minute after its return the transfer has to go on.
 */
const maxRetryAloneMs = 10_000;
/** Longest wait between two dials of one address. */
const maxRetryMs = 30 * 60_000;

export const endpointKey = (endpoint: Endpoint): string => `${endpoint.ip}:${endpoint.port}`;

export class PeerList {
  readonly #known = new Map<string, KnownPeer>();
  readonly #bannedIps = new Set<string>();
  readonly #refused = new Set<string>();
  readonly #options: PeerListOptions;
  #dialing = 0;
  /** The earliest `dialAfter` of those that may be dialled; undefined after a change. */
  #earliest: number | undefined;

  constructor(options: PeerListOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#known.size;
  }

  get dialing(): number {
    return this.#dialing;
  }

  /** Remembers an address. False when it is useless, banned, known already or the list is full of better ones. */
  add(endpoint: Endpoint, source: PeerSource, now: number): boolean {
    this.#earliest = undefined;
    const key = endpointKey(endpoint);
    if (!isDialable(endpoint) || this.#bannedIps.has(endpoint.ip) || this.#refused.has(key)) return false;
    const known = this.#known.get(key);
    if (known !== undefined) {
      // A tracker that names it again says that it is alive: one more chance, after its wait.
      if (known.failures >= maxFailures) known.failures = maxFailures - 1;
      return false;
    }
    if (this.#known.size >= this.#options.maxKnownPeers && !this.#evict()) return false;
    this.#known.set(key, {
      endpoint,
      source,
      dialing: false,
      live: 0,
      proven: false,
      failures: 0,
      dialAfter: now,
      aside: false,
    });
    return true;
  }

  /** Up to `count` addresses to dial now, those that failed least first; each is marked as being dialled. */
  takeDialable(count: number, now: number): Endpoint[] {
    if (count <= 0 || this.deadline() > now) return [];
    this.#earliest = undefined;
    const ready: KnownPeer[] = [];
    for (const peer of this.#known.values())
      if (isIdle(peer) && peer.failures < maxFailures && peer.dialAfter <= now) ready.push(peer);
    ready.sort((a, b) => a.failures - b.failures);
    const taken = ready.slice(0, count);
    for (const peer of taken) peer.dialing = true;
    this.#dialing += taken.length;
    return taken.map((peer) => peer.endpoint);
  }

  /** Our dial succeeded. */
  dialled(endpoint: Endpoint): void {
    const peer = this.#known.get(endpointKey(endpoint));
    if (peer === undefined) return;
    this.#dialOver(peer);
    peer.live++;
  }

  /** `alone`: nobody is connected. */
  dialFailed(endpoint: Endpoint, alone: boolean, now: number): void {
    const peer = this.#known.get(endpointKey(endpoint));
    if (peer === undefined) return;
    this.#dialOver(peer);
    if (isIdle(peer)) this.#wait(peer, { useful: false, alone }, now);
  }

  /** A connection that it made turns out to be with the peer that listens here. */
  connected(endpoint: Endpoint): void {
    const peer = this.#known.get(endpointKey(endpoint));
    if (peer === undefined) return;
    this.#earliest = undefined;
    peer.live++;
  }

  /**
   * A connection ended that `dialled` or `connected` told of. `useful`: it got as far as a handshake; `alone`: it was the
   * last one.
   */
  ended(endpoint: Endpoint, end: { readonly useful: boolean; readonly alone: boolean }, now: number): void {
    const peer = this.#known.get(endpointKey(endpoint));
    if (peer === undefined) return;
    peer.live = Math.max(0, peer.live - 1);
    if (end.useful) peer.proven = true;
    if (isIdle(peer)) this.#wait(peer, end, now);
  }

  /** There is nothing to gain there: as if given up, so one more dial for each time that a tracker names it. */
  setAside(endpoint: Endpoint): void {
    const peer = this.#known.get(endpointKey(endpoint));
    if (peer === undefined) return;
    this.#earliest = undefined;
    peer.failures = maxFailures;
    peer.aside = true;
  }

  /** There is something to gain again: those set aside may be dialled once more. */
  recall(now: number): void {
    this.#earliest = undefined;
    for (const peer of this.#known.values()) {
      if (!peer.aside) continue;
      peer.aside = false;
      peer.failures = 0;
      peer.dialAfter = now;
    }
  }

  /** Never dial or accept this one address again: it is ourselves. */
  refuse(endpoint: Endpoint): void {
    const key = endpointKey(endpoint);
    const peer = this.#known.get(key);
    if (peer !== undefined) this.#dialOver(peer);
    this.#known.delete(key);
    boundedAdd(this.#refused, key, this.#options.maxKnownPeers);
  }

  /** Never talk to this host again: it sent corrupt data (mainline bans by IP). */
  ban(endpoint: Endpoint): void {
    boundedAdd(this.#bannedIps, endpoint.ip, this.#options.maxKnownPeers);
    for (const [key, peer] of this.#known) {
      if (peer.endpoint.ip !== endpoint.ip) continue;
      this.#dialOver(peer);
      this.#known.delete(key);
    }
  }

  isBanned(endpoint: Endpoint): boolean {
    return this.#bannedIps.has(endpoint.ip);
  }

  /** When the next address may be dialled; Infinity when there is none. */
  deadline(): number {
    // Asked for after every input, changed rarely: scanned only after a change.
    if (this.#earliest === undefined) {
      this.#earliest = Infinity;
      for (const peer of this.#known.values())
        if (isIdle(peer) && peer.failures < maxFailures && peer.dialAfter < this.#earliest)
          this.#earliest = peer.dialAfter;
    }
    return this.#earliest;
  }

  #dialOver(peer: KnownPeer): void {
    this.#earliest = undefined;
    if (peer.dialing) this.#dialing--;
    peer.dialing = false;
  }

  #wait(peer: KnownPeer, end: { readonly useful: boolean; readonly alone: boolean }, now: number): void {
    this.#earliest = undefined;
    peer.aside = false;
    peer.failures = end.useful ? 0 : peer.failures + 1;
    const isLifeline = end.alone && peer.proven;
    if (isLifeline) peer.failures = Math.min(peer.failures, maxFailures - 1);
    const wait = Math.min(this.#options.retryMs * 2 ** peer.failures, isLifeline ? maxRetryAloneMs : maxRetryMs);
    // Jitter of a quarter: a swarm that lost its origin must not dial it in step.
    peer.dialAfter = now + wait * (1 + this.#options.random() / 4);
  }

  #evict(): boolean {
    let worst: string | undefined;
    let failures = 0;
    for (const [key, peer] of this.#known)
      if (isIdle(peer) && peer.failures > failures) {
        failures = peer.failures;
        worst = key;
      }
    return worst !== undefined && this.#known.delete(worst);
  }
}

function isIdle(peer: KnownPeer): boolean {
  return !peer.dialing && peer.live === 0;
}

function boundedAdd(set: Set<string>, value: string, limit: number): void {
  if (set.size >= limit) for (const oldest of set) return void (set.delete(oldest), set.add(value));
  set.add(value);
}

function isDialable(endpoint: Endpoint): boolean {
  const { ip, port } = endpoint;
  if (port < 1 || port > 65535) return false;
  if (ip === '0.0.0.0' || ip === '::' || ip === '255.255.255.255') return false;
  const first = Number.parseInt(ip, 10);
  return ip.includes(':') ? !ip.startsWith('ff') : first < 224;
}
