// What the driver of a simulated peer is given when it starts: the one life of a process between start and end.
import type { Bitfield } from '@shoal/pieces';
import type { Torrent, TorrentDescription } from '@shoal/torrent';
import type { AnnounceFacts, TorrentOptions } from '@shoal/torrent';
import type { Behaviour } from './behaviours.ts';
import type { SyntheticContent } from './content.ts';
import type { Host } from './host.ts';
import type { PeerMeasurements } from './measurements.ts';
import type { RandomStream } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { AnnounceAnswer } from './simulated-tracker.ts';
import type { Trace } from './trace.ts';

export interface LifeFacts {
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly trace: Trace;
  readonly host: Host;
  readonly disk: SimulatedDisk;
  readonly content: SyntheticContent;
  /** Pieces that it does not trust to be on its disk, or not to be, when it starts. */
  readonly doubt: Bitfield;
  readonly description: TorrentDescription;
  readonly torrentOptions: TorrentOptions;
  readonly behaviour: Behaviour;
  /** The peer's own stream for what its behaviour leaves to chance. */
  readonly random: RandomStream;
  readonly measurements: PeerMeasurements;
  /** Answers later, always; absent when the swarm has no tracker or this peer does not use it. */
  readonly announce: ((facts: AnnounceFacts, answer: (answer: AnnounceAnswer) => void) => void) | undefined;
  /** Whose machine has this IP address; for measurements only. */
  readonly nameOf: (ip: string) => string;
}

/** One run of a peer's process. */
export interface Life {
  /** Says goodbye properly. */
  stop(): void;
  /** Is no more, from this instant on. */
  end(): void;
  /** The machine, for looking at; a scripted peer has none. */
  readonly torrent: Torrent | undefined;
}
