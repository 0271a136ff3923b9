// One participant: a machine with an address and a disk, on which the client's process may start, stop, crash and start
// again. Decides what survives a life (the verified pieces) and what does not; must not know the swarm.
import { Bitfield } from '@shoal/pieces';
import type { TorrentDescription, TorrentOptions, TorrentSnapshot } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import { type Behaviour, honest } from './behaviours.ts';
import type { SyntheticContent } from './content.ts';
import type { Host } from './host.ts';
import type { Life, LifeFacts } from './life.ts';
import { PeerMeasurements, type PeerReport, type PeerState } from './measurements.ts';
import type { DiskOptions, LinkOptions } from './options.ts';
import type { RandomStream } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { ScriptedDriver } from './scripted-driver.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedDriver, type UserInput } from './simulated-driver.ts';
import type { AnnounceAnswer, SimulatedTracker } from './simulated-tracker.ts';
import type { Trace } from './trace.ts';

export interface PeerOptions {
  /** Under which it stands in traces and reports; unique. Default `peer-N`. */
  readonly name?: string;
  /** Pieces on its disk at the start. Default none. */
  readonly have?: 'all' | 'none' | Bitfield;
  /** Pieces, on its disk or not, that it has to look at after each start before it knows. Default none. */
  readonly doubt?: 'all' | 'none' | Bitfield;
  /** When its process starts, in virtual ms; `Infinity` waits for `start`. Default now. */
  readonly startMs?: number;
  /** What differs from the swarm's link. */
  readonly link?: LinkOptions;
  readonly disk?: DiskOptions;
  /** Default honest. */
  readonly behaviour?: Behaviour;
  /** Peers it was told of by its user. Default none. */
  readonly knows?: readonly Endpoint[];
  /** Whether it announces to the swarm's tracker. Default true. */
  readonly usesTracker?: boolean;
  /** Options of its torrent. */
  readonly torrent?: Partial<Omit<TorrentOptions, 'random' | 'peerId'>>;
}

/** @internal */
export interface SimulatedPeerFacts {
  readonly name: string;
  readonly options: PeerOptions;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly host: Host;
  readonly disk: SimulatedDisk;
  readonly content: SyntheticContent;
  readonly description: TorrentDescription;
  readonly tracker: () => SimulatedTracker | undefined;
  readonly nameOf: (ip: string) => string;
  readonly stream: (purpose: string) => RandomStream;
}

type Stage = 'waiting' | 'running' | 'stopped' | 'crashed';

export class SimulatedPeer {
  readonly name: string;
  readonly disk: SimulatedDisk;
  readonly #facts: SimulatedPeerFacts;
  readonly #measurements = new PeerMeasurements();
  readonly #behaviour: Behaviour;
  #stage: Stage = 'waiting';
  #lives = 0;
  #life: Life | undefined;
  /** The life's driver, if it speaks for a torrent. */
  #driver: SimulatedDriver | undefined;

  /** @internal */
  constructor(facts: SimulatedPeerFacts) {
    this.#facts = facts;
    this.name = facts.name;
    this.disk = facts.disk;
    this.#behaviour = facts.options.behaviour ?? honest;
  }

  /** Where it listens. */
  get endpoint(): Endpoint {
    return this.#facts.host.endpoint;
  }

  /** Every piece is on its disk and right. */
  get complete(): boolean {
    return this.disk.stored.isFull;
  }

  get havePieces(): number {
    return this.disk.stored.count;
  }

  get state(): PeerState {
    if (this.#stage !== 'running') return this.#stage;
    const torrent = this.#life?.torrent;
    if (torrent === undefined) return 'scripted';
    if (torrent.state === 'suspended') return 'suspended';
    return torrent.complete ? 'seeding' : 'downloading';
  }

  /** How its torrent sees itself; undefined while it does not run or has none. */
  get snapshot(): TorrentSnapshot | undefined {
    return this.#stage === 'running' ? this.#life?.torrent?.snapshot(this.#facts.scheduler.nowMs) : undefined;
  }

  /** Starts the process with what the disk holds; a new life has a new peer id. A running one stays as it is. */
  start(): void {
    if (this.#stage === 'running') return;
    this.#stage = 'running';
    this.#lives++;
    this.#note(`starts life ${this.#lives} with ${this.havePieces} pieces`);
    const life = this.#lifeFacts();
    this.#driver = this.#behaviour.script === undefined ? new SimulatedDriver(life) : undefined;
    const driver = this.#driver ?? new ScriptedDriver(life);
    this.#life = driver;
    driver.start(this.#facts.options.knows ?? []);
  }

  /** Its user wants something of the running client. */
  tell(input: UserInput): void {
    if (this.#stage === 'running') this.#driver?.tell(input);
  }

  /** Its user wants pieces, or all, to be checked while it runs. */
  recheck(pieces: Bitfield = Bitfield.full(this.disk.stored.length)): void {
    if (this.#stage === 'running') this.#driver?.recheck(pieces);
  }

  /** Whether its network is up; set it at any time. While it is down nobody is reached, the tracker neither. */
  get online(): boolean {
    return this.#facts.host.online;
  }

  set online(online: boolean) {
    this.#note(online ? 'is back on the network' : 'loses its network');
    this.#facts.host.online = online;
  }

  /** Ends properly: connections are closed, the tracker is told. */
  stop(): void {
    if (this.#stage !== 'running') return;
    this.#note('stops');
    this.#sumUp();
    this.#stage = 'stopped';
    this.#life?.stop();
  }

  /** The process dies: with `reset` its system still closes the connections, with `silence` the machine lost its power. */
  crash(how: 'reset' | 'silence' = 'reset'): void {
    if (this.#stage !== 'running') return;
    this.#note(`crashes with ${how}`);
    this.#sumUp();
    this.#stage = 'crashed';
    this.#life?.end();
    this.#facts.host.cut(how);
  }

  report(): PeerReport {
    const { uploadedTo, banned, downloadedBytes, wastedBytes, corruptBytes, ...counts } = this.#measurements;
    const now = this.snapshot;
    return {
      name: this.name,
      behaviour: this.#behaviour.name,
      state: this.state,
      havePieces: this.havePieces,
      complete: this.complete,
      ...counts,
      completedMs: counts.completedMs,
      uploadedTo: Object.fromEntries(uploadedTo),
      downloadedBytes: downloadedBytes + (now?.downloadedBytes ?? 0),
      wastedBytes: wastedBytes + (now?.wastedBytes ?? 0),
      corruptBytes: corruptBytes + (now?.corruptBytes ?? 0),
      banned: [...banned],
    };
  }

  /** A life's own counters end with it. */
  #sumUp(): void {
    const last = this.snapshot;
    if (last === undefined) return;
    this.#measurements.downloadedBytes += last.downloadedBytes;
    this.#measurements.wastedBytes += last.wastedBytes;
    this.#measurements.corruptBytes += last.corruptBytes;
  }

  #lifeFacts(): LifeFacts {
    const { options, stream, tracker, description, host, ...shared } = this.#facts;
    const random = stream(`torrent ${this.#lives}`);
    const peerId = peerIdFrom(stream(`peer id ${this.#lives}`));
    const port = host.endpoint.port;
    const key = stream(`key ${this.#lives}`).word().toString(16);
    const use = options.usesTracker === false ? undefined : tracker();
    return {
      ...shared,
      host,
      description,
      doubt: doubtOf(options.doubt ?? 'none', this.disk.stored.length),
      torrentOptions: { listenPort: port, ...options.torrent, peerId, random: () => random.fraction() },
      behaviour: this.#behaviour,
      random: stream(`behaviour ${this.#lives}`),
      measurements: this.#measurements,
      announce:
        use === undefined
          ? undefined
          : (facts, answer) => {
              const { infoHash } = description;
              if (!host.online) return shared.scheduler.after(unreachableMs * 1000, () => answer(unreachable));
              use.announce({ ...facts, infoHash, peerId, port, key, compact: true }, host.endpoint.ip, answer);
            },
    };
  }

  #note(what: string): void {
    this.#facts.trace.event(this.#facts.scheduler.nowUs, this.name, what);
  }
}

function doubtOf(doubt: 'all' | 'none' | Bitfield, pieceCount: number): Bitfield {
  if (doubt === 'all') return Bitfield.full(pieceCount);
  return doubt === 'none' ? new Bitfield(pieceCount) : doubt.clone();
}

const unreachable: AnnounceAnswer = { type: 'announce-failed', reason: 'the network is unreachable' };
/** Without a route a system says so at once, or nearly. */
const unreachableMs = 10;

/** Azureus-style id (BEP 20): `-SH0000-` and twelve letters and digits. */
function peerIdFrom(random: RandomStream): Uint8Array {
  const id = new TextEncoder().encode('-SH0000-............');
  for (let at = 8; at < id.length; at++) id[at] = peerIdAlphabet.charCodeAt(random.below(peerIdAlphabet.length));
  return id;
}

const peerIdAlphabet = '0123456789abcdefghijklmnopqrstuvwxyz';
