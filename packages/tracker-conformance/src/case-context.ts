// What one run of one case works with: its target, its own info-hashes and peers, and the transport it asks over.
// Everything opened for it is closed when it ends.
import { createHash } from 'node:crypto';
import type { ConformanceCase } from './conformance-case.ts';
import type { Deadline } from './deadline.ts';
import { HttpProbe } from './http-probe.ts';
import { SignalProbe } from './signal-probe.ts';
import * as reading from './swarm-reading.ts';
import type { Target } from './target.ts';
import { UdpProbe } from './udp-probe.ts';

/** Most info-hashes that a case announces to. */
export const hashesPerCase = 6;

/** A case's surroundings. */
export class CaseContext {
  readonly target: Target;
  readonly deadline: Deadline;
  readonly http: HttpProbe;
  /** Info-hashes of this case in this run; nobody else's. */
  readonly infoHashes: readonly Uint8Array[];
  readonly #seed: string;
  readonly #number: number;
  readonly #entry: ConformanceCase;
  #other: CaseContext | undefined;
  readonly #udp: UdpProbe[] = [];
  readonly #peers: SignalProbe[] = [];
  #session: Promise<Uint8Array> | undefined;

  constructor(target: Target, deadline: Deadline, seed: string, entry: ConformanceCase) {
    this.target = target;
    this.deadline = deadline;
    this.http = new HttpProbe(target, deadline);
    this.infoHashes = infoHashesOf(seed, entry);
    this.#seed = seed;
    this.#number = entry.number;
    this.#entry = entry;
  }

  /** The same case over the tracker's other address family; undefined where no such address is known. */
  overOtherFamily(): CaseContext | undefined {
    const { otherIp: ip, ip: otherIp, family } = this.target;
    if (ip === undefined) return undefined;
    const target: Target = { ...this.target, ip, otherIp, family: family === 4 ? 6 : 4, secondAddress: undefined };
    this.#other ??= new CaseContext(target, this.deadline, this.#seed, this.#entry);
    return this.#other;
  }

  /** The first info-hash. */
  get infoHash(): Uint8Array {
    return this.infoHashes[0]!;
  }

  /** A peer of this case: an id that is no UTF-8, so that a tracker which takes it for text shows. */
  peer(index: number): { readonly peerId: Uint8Array; readonly port: number } {
    const peerId = new Uint8Array(draw(`${this.#seed}/${this.#number}/peer/${index}`));
    peerId.set([0x2d, 0x53, 0x43, 0x30, 0x30, 0x30, 0x31, 0x2d, 0xff, 0x00]);
    // Below the ephemeral ports and above the privileged ones; different for each peer of a case.
    return { peerId, port: 20_001 + index };
  }

  /** An info-hash that nobody ever announced. */
  strangeHash(index: number): Uint8Array {
    return draw(`${this.#seed}/${this.#number}/strange/${index}`);
  }

  /** The case's UDP socket, or a further one that sends from `localAddress`. */
  udp(localAddress?: string): UdpProbe {
    const [first] = this.#udp;
    return localAddress === undefined && first !== undefined ? first : this.openUdp(localAddress);
  }

  /** A further UDP socket. */
  openUdp(localAddress?: string): UdpProbe {
    const probe = new UdpProbe(this.target, this.deadline, localAddress);
    this.#udp.push(probe);
    return probe;
  }

  /** The connection id of the case's own socket, asked for once. */
  connectionId(): Promise<Uint8Array> {
    this.#session ??= this.udp().connect();
    return this.#session;
  }

  /** Announces over the target's transport. `peer` is the index of one of the case's peers. */
  async announce(peer: number, announce: Partial<reading.SwarmAnnounce> = {}): Promise<reading.SwarmReading> {
    const all = { infoHash: this.infoHash, ...this.peer(peer), ...announce };
    if (this.target.transport !== 'udp') return reading.announceOverHttp(this.http, all);
    return reading.announceOverUdp(this.udp(), await this.connectionId(), this.target.family, all);
  }

  /** Scrapes over the target's transport: counts in order, undefined for what is left out; a text when refused. */
  async scrape(infoHashes: readonly Uint8Array[]): Promise<(reading.SwarmCounts | undefined)[] | string> {
    if (this.target.transport !== 'udp') return reading.scrapeOverHttp(this.http, infoHashes);
    return reading.scrapeOverUdp(this.udp(), await this.connectionId(), infoHashes);
  }

  /** A further connection of a WebTorrent peer. @throws ConformanceError no-connection, no-answer */
  connectPeer(): Promise<SignalProbe> {
    return SignalProbe.open(this.target, this.deadline, (probe) => this.#peers.push(probe));
  }

  close(): void {
    this.#other?.close();
    for (const probe of this.#udp) probe.close();
    for (const probe of this.#peers) probe.terminate();
  }
}

/** The info-hashes that a case announces to under a seed: a tracker that serves listed torrents can list them. */
export function infoHashesOf(seed: string, { number, shape }: ConformanceCase): Uint8Array[] {
  const first = draw(`${seed}/${number}/0`);
  return Array.from({ length: hashesPerCase }, (_, index) => {
    const infoHash = draw(`${seed}/${number}/${index}`);
    shape?.(infoHash, index, first);
    return infoHash;
  });
}

function draw(text: string): Uint8Array {
  return new Uint8Array(createHash('sha1').update(text).digest());
}
