// A whole swarm under one virtual clock: real torrents, a real tracker, simulated links, disks and faults. Decides
// addresses, streams of chance and when a run is over. The same options and the same calls give the same run, event by
// event, in every process. One torrent a simulation.
import { Bitfield, geometryOf } from '@shoal/pieces';
import type { TorrentDescription } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import { SyntheticContent } from './content.ts';
import type { PeerReport, SimulationOutcome, SimulationReport } from './measurements.ts';
import { Network } from './network.ts';
import { diskDefaults, type LinkOptions, type NetworkOptions, type SimulatedTrackerOptions } from './options.ts';
import { type RandomStream, randomStream } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { type PeerOptions, SimulatedPeer } from './simulated-peer.ts';
import { SimulatedTracker } from './simulated-tracker.ts';
import { Trace } from './trace.ts';

export interface SimulatedTorrentOptions {
  /** Default 64. */
  readonly pieceCount?: number;
  /** In bytes. Default 65 536. */
  readonly pieceLength?: number;
  /** In bytes, the last piece may be shorter. Default `pieceCount` whole pieces. */
  readonly totalLength?: number;
  /** BEP 27. Default false. */
  readonly isPrivate?: boolean;
}

export interface SimulationOptions {
  /** Any safe integer; all chance in the run comes from it. */
  readonly seed: number;
  readonly torrent?: SimulatedTorrentOptions;
  /** The link of every peer that is not given another. */
  readonly link?: LinkOptions;
  readonly network?: NetworkOptions;
  /** Given every line of the trace as it happens: `<time in µs> <who> <what>`. */
  readonly trace?: (line: string) => void;
}

export class Simulation {
  readonly seed: number;
  readonly content: SyntheticContent;
  readonly #options: SimulationOptions;
  readonly #scheduler = new Scheduler();
  readonly #trace: Trace;
  readonly #network: Network;
  readonly #description: TorrentDescription;
  readonly #peers: SimulatedPeer[] = [];
  readonly #namesByIp = new Map<string, string>();
  /** Those that were complete when they were added. */
  readonly #origins = new Set<SimulatedPeer>();
  #tracker: SimulatedTracker | undefined;

  /** @throws RangeError when the seed is no safe integer or the torrent is impossible. */
  constructor(options: SimulationOptions) {
    if (!Number.isSafeInteger(options.seed)) throw new RangeError(`a seed is a safe integer, not ${options.seed}`);
    this.#options = options;
    this.seed = options.seed;
    const { pieceCount = 64, pieceLength = 65_536, totalLength, isPrivate = false } = options.torrent ?? {};
    const geometry = geometryOf(totalLength ?? pieceCount * pieceLength, pieceLength);
    this.content = new SyntheticContent(geometry, options.seed);
    this.#description = { infoHash: this.random('info-hash').bytes(20), geometry, isPrivate };
    this.#trace = new Trace(options.trace);
    this.#network = new Network(this.#scheduler, this.random('network'), options.network);
  }

  /** Virtual ms since the start. */
  get nowMs(): number {
    return this.#scheduler.nowMs;
  }

  get peers(): readonly SimulatedPeer[] {
    return this.#peers;
  }

  get tracker(): SimulatedTracker | undefined {
    return this.#tracker;
  }

  /** Live connections, each once: for faults (`lose`). */
  get connections(): Network['connections'] {
    return this.#network.connections;
  }

  /** An independent stream under the simulation's seed; the same purpose gives the same stream from its start. */
  random(purpose: string): RandomStream {
    return randomStream(this.seed, purpose);
  }

  /** The swarm's tracker, for all peers, those added before too. @throws RangeError when there is one already. */
  addTracker(options: SimulatedTrackerOptions = {}): SimulatedTracker {
    if (this.#tracker !== undefined) throw new RangeError('the swarm has its tracker');
    const random = this.random('tracker');
    const facts = { scheduler: this.#scheduler, trace: this.#trace, random: () => random.fraction() };
    this.#tracker = new SimulatedTracker(facts, options);
    return this.#tracker;
  }

  /** @throws RangeError when the name is taken, the link impossible or the start in the past. */
  addPeer(options: PeerOptions = {}): SimulatedPeer {
    const name = options.name ?? `peer-${this.#peers.length + 1}`;
    if (this.#peers.some((peer) => peer.name === name)) throw new RangeError(`there is a peer ${name} already`);
    const endpoint = this.#nextEndpoint();
    const { geometry } = this.content;
    const stored = storedOf(options.have ?? 'none', geometry.pieceCount);
    const peer = new SimulatedPeer({
      name,
      options,
      scheduler: this.#scheduler,
      trace: this.#trace,
      host: this.#network.addHost(endpoint, { ...this.#options.link, ...options.link }),
      disk: new SimulatedDisk(this.content, stored, this.#scheduler, { ...diskDefaults, ...options.disk }),
      content: this.content,
      description: this.#description,
      tracker: () => this.#tracker,
      nameOf: (ip) => this.#namesByIp.get(ip) ?? ip,
      stream: (purpose) => this.random(`${name} ${purpose}`),
    });
    this.#namesByIp.set(endpoint.ip, name);
    this.#peers.push(peer);
    if (peer.complete) this.#origins.add(peer);
    const startMs = options.startMs ?? this.nowMs;
    if (startMs !== Infinity) this.at(startMs, () => peer.start());
    return peer;
  }

  /** Does something at a virtual time. @throws RangeError when that is past. */
  at(timeMs: number, action: () => void): void {
    this.#scheduler.at(Math.round(timeMs * 1000), action);
  }

  /** Loses a random live connection again and again, with `everyMs` between, until `untilMs`. */
  loseConnections(everyMs: number, untilMs: number): void {
    const random = this.random('connection losses');
    const lose = (): void => {
      const { connections } = this;
      if (connections.length > 0) connections[random.below(connections.length)]!.lose();
      if (this.nowMs + everyMs <= untilMs) this.at(this.nowMs + everyMs, lose);
    };
    this.at(this.nowMs + everyMs, lose);
  }

  /**
   * Runs until `done` holds after an event, nothing is left to happen, or the clock stands at `limitMs`. May be called
   * again to go on.
   * @throws SimulationError when a torrent breaks its contract with the driver.
   */
  runUntil(done: () => boolean, limitMs: number): SimulationReport {
    return this.#report(this.#run(done, Math.round(limitMs * 1000)));
  }

  #run(done: () => boolean, limitUs: number): SimulationOutcome {
    while (!done()) {
      const { nextUs } = this.#scheduler;
      if (nextUs === Infinity) return 'idle';
      if (nextUs > limitUs) {
        if (limitUs > this.#scheduler.nowUs) this.#scheduler.advanceTo(limitUs);
        return 'limit';
      }
      this.#scheduler.step();
    }
    return 'done';
  }

  #report(outcome: SimulationOutcome): SimulationReport {
    const peers: PeerReport[] = this.#peers.map((peer) => peer.report());
    const completions = peers.flatMap(({ completedMs }) => (completedMs === undefined ? [] : [completedMs]));
    return {
      outcome,
      seed: this.seed,
      timeMs: this.nowMs,
      events: this.#trace.lines,
      hash: this.#trace.hash,
      lastEvents: this.#trace.last,
      totalBytes: this.content.geometry.totalLength,
      peers,
      originBytes: peers.reduce(
        (sum, { uploadedBytes }, index) => (this.#origins.has(this.#peers[index]!) ? sum + uploadedBytes : sum),
        0,
      ),
      lastCompletedMs: completions.length === 0 ? undefined : Math.max(...completions),
    };
  }

  /** 10.0.0.1 and on, skipping .0 and .255, port 6881 (BEP 3). */
  #nextEndpoint(): Endpoint {
    const index = this.#peers.length;
    return { ip: `10.0.${Math.floor(index / 254)}.${(index % 254) + 1}`, port: 6881 };
  }
}

function storedOf(have: NonNullable<PeerOptions['have']>, pieceCount: number): Bitfield {
  if (have === 'all') return Bitfield.full(pieceCount);
  return have === 'none' ? new Bitfield(pieceCount) : have.clone();
}
