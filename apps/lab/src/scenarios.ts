// Swarms worth looking at in simulated time. Each adds its peers and faults to a new simulation; who runs it waits until
// the downloaders are complete. Knows no command line.
import { corrupting, type SimulatedPeer, Simulation, stalling } from '@shoal/sim';

export interface ScenarioSize {
  readonly seed: number;
  /** Downloaders. */
  readonly peers: number;
}

export interface Scenario {
  /** What happens, as a sentence without its subject's name. */
  readonly about: string;
  readonly build: (size: ScenarioSize) => BuiltScenario;
}

export interface BuiltScenario {
  readonly simulation: Simulation;
  readonly origin: SimulatedPeer;
  /** Those that shall complete. */
  readonly downloaders: readonly SimulatedPeer[];
}

/** 16 MiB: long enough that a peer's credit matters, short enough to run in a second or two. */
const torrent = { pieceCount: 256, pieceLength: 65_536 } as const;
/** All arrive within a second, as when a release is announced. */
const crowdMs = 1000;

export const scenarios: Readonly<Record<string, Scenario>> = {
  'flash-crowd': {
    about: 'all downloaders arrive within a second',
    build: crowd,
  },
  trickle: {
    about: 'one downloader arrives every ten seconds and stays as a seed',
    build: (size) => swarmOf(size, (_, index) => index * 10_000),
  },
  'origin-leaves': {
    about: 'the origin leaves as soon as one full copy is out',
    build: (size) => {
      const built = crowd(size);
      const { simulation, origin, downloaders } = built;
      const look = (): void => {
        if (isOut(downloaders)) origin.stop();
        else simulation.at(simulation.nowMs + 100, look);
      };
      simulation.at(0, look);
      return built;
    },
  },
  corrupter: {
    about: 'a second seed changes a byte in every block it sends',
    build: (size) => {
      const built = crowd(size);
      built.simulation.addPeer({ name: 'corrupter', have: 'all', behaviour: corrupting() });
      return built;
    },
  },
  staller: {
    about: 'a second seed takes requests and never answers them',
    build: (size) => {
      const built = crowd(size);
      built.simulation.addPeer({ name: 'staller', have: 'all', behaviour: stalling() });
      return built;
    },
  },
  'broken-lines': {
    about: 'a connection breaks every half second',
    build: (size) => {
      const built = crowd(size);
      built.simulation.loseConnections(500, 600_000);
      return built;
    },
  },
  restart: {
    about: 'the first downloader crashes after ten seconds and starts again five seconds later',
    build: (size) => {
      const built = crowd(size);
      const [victim] = built.downloaders;
      built.simulation.at(10_000, () => victim?.crash('reset'));
      built.simulation.at(15_000, () => victim?.start());
      return built;
    },
  },
  'late-tracker': {
    about: 'the tracker is down for the first minute',
    build: (size) => swarmOf(size, arrival, [{ fromMs: 0, untilMs: 60_000 }]),
  },
};

function crowd(size: ScenarioSize): BuiltScenario {
  return swarmOf(size, arrival);
}

const arrival = (fraction: number): number => Math.floor(fraction * crowdMs);

/** `startMs` is given a number from [0, 1) of the simulation's own chance. */
function swarmOf(
  { seed, peers }: ScenarioSize,
  startMs: (fraction: number, index: number) => number,
  outages: readonly { readonly fromMs: number; readonly untilMs: number }[] = [],
): BuiltScenario {
  const simulation = new Simulation({ seed, torrent });
  simulation.addTracker({ interval: 120, outages });
  const origin = simulation.addPeer({ name: 'origin', have: 'all' });
  const arrivals = simulation.random('arrivals');
  const downloaders = Array.from({ length: peers }, (_, index) =>
    simulation.addPeer({ name: `peer-${index + 1}`, startMs: startMs(arrivals.fraction(), index) }),
  );
  return { simulation, origin, downloaders };
}

/** Every piece is on the disk of one of them. */
function isOut(peers: readonly SimulatedPeer[]): boolean {
  for (let piece = 0; piece < torrent.pieceCount; piece++)
    if (!peers.some((peer) => peer.disk.stored.has(piece))) return false;
  return true;
}
