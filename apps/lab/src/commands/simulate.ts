// `shoal-lab simulate`: one scenario of the real torrent and tracker code in simulated time, and what it came to.
import { type SimulationReport } from '@shoal/sim';
import type { ExitName } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { simulationLines } from '../render/simulation.ts';
import { type Scenario, scenarios, type ScenarioSize } from '../scenarios.ts';

export interface SimulateOptions extends ScenarioSize {
  readonly scenario: string;
}

/** The object of `--json`: all times are simulated. */
export interface SimulationResult {
  readonly ok: boolean;
  readonly scenario: string;
  readonly seed: number;
  /** Of every event of the run: the same for the same seed, scenario and version. */
  readonly hash: string;
  readonly events: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly originUploadedBytes: number;
  readonly peers: readonly SimulatedPeerResult[];
}

export interface SimulatedPeerResult {
  readonly name: string;
  readonly behaviour: string;
  readonly state: string;
  /** Of completion; undefined while incomplete, and for who had everything from the start. */
  readonly seconds: number | undefined;
  readonly downloadedBytes: number;
  readonly uploadedBytes: number;
  /** Sent to it by the origin and by others, duplicates and what was corrupt included. */
  readonly fromOriginBytes: number;
  readonly fromPeersBytes: number;
  readonly wastedBytes: number;
  readonly corruptBytes: number;
  readonly banned: readonly string[];
}

/** Simulated time after which a swarm of 16 MiB will not complete any more. */
const limitMs = 3_600_000;

export function simulate(options: SimulateOptions, output: Output): ExitName {
  const { build, about } = scenarios[options.scenario] as Scenario;
  output.info(`${options.scenario}: ${about}`);
  const startedAt = performance.now();
  const { simulation, downloaders } = build(options);
  const report = simulation.runUntil(() => downloaders.every(({ complete }) => complete), limitMs);
  const result = resultOf(options.scenario, report);
  output.result(result);
  output.data(simulationLines(result, (performance.now() - startedAt) / 1000));
  return result.ok ? 'ok' : 'unfinished';
}

function resultOf(scenario: string, report: SimulationReport): SimulationResult {
  const origin = report.peers.find(({ name }) => name === 'origin');
  return {
    ok: report.outcome === 'done',
    scenario,
    seed: report.seed,
    hash: report.hash,
    events: report.events,
    bytes: report.totalBytes,
    seconds: report.timeMs / 1000,
    originUploadedBytes: origin?.uploadedBytes ?? 0,
    peers: report.peers.map((peer) => {
      const fromOriginBytes = origin?.uploadedTo[peer.name] ?? 0;
      const sent = report.peers.reduce((total, { uploadedTo }) => total + (uploadedTo[peer.name] ?? 0), 0);
      return {
        name: peer.name,
        behaviour: peer.behaviour,
        state: peer.state,
        seconds: peer.completedMs === undefined ? undefined : peer.completedMs / 1000,
        downloadedBytes: peer.downloadedBytes,
        uploadedBytes: peer.uploadedBytes,
        fromOriginBytes,
        fromPeersBytes: sent - fromOriginBytes,
        wastedBytes: peer.wastedBytes,
        corruptBytes: peer.corruptBytes,
        banned: peer.banned,
      };
    }),
  };
}
