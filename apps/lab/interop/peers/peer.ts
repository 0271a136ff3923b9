// What every client under test can do, whoever wrote it.
import type { Scene } from '../scene.ts';
import type { Requirement } from '../requirements.ts';

export interface Job {
  readonly torrent: string;
  /** The folder that holds, or will hold, the torrent's name. */
  readonly directory: string;
  readonly address: string;
}

export interface Peer {
  readonly directory: string;
  /** Empty files are left out by this client: a shortcoming of its own. */
  readonly omitsEmptyFiles?: boolean;
  /** Settles when all of the content is there; an error if the client gives up. */
  readonly complete: Promise<void>;
  /** Ends it politely, so that everything is on disk afterwards. */
  stop(): Promise<void>;
}

export interface Client {
  readonly name: string;
  readonly requirement?: Requirement;
  /** Seeds complete content. The tracker is told at some time after this. */
  seed(scene: Scene, job: Job): Promise<Peer>;
  /** Downloads, and then goes on seeding until it is stopped. */
  download(scene: Scene, job: Job): Promise<Peer>;
}
