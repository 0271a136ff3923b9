// One seed and five downloaders in simulated time: the same seed number gives the same run, to the byte.
// usage: node examples/07-simulate-a-swarm.ts [SEED]
import { Simulation } from '@shoal/sim';

const simulation = new Simulation({ seed: Number(process.argv[2] ?? 1) });
simulation.addTracker();
simulation.addPeer({ name: 'origin', have: 'all' });
const downloaders = [1, 2, 3, 4, 5].map((n) => simulation.addPeer({ name: `peer ${n}` }));
const report = simulation.runUntil(() => downloaders.every((peer) => peer.complete), 3_600_000);
for (const { name, completedMs } of report.peers)
  if (completedMs !== undefined) console.log(`${name}: complete after ${(completedMs / 1000).toFixed(1)} s`);
console.log(
  `the origin sent ${(report.originBytes / report.totalBytes).toFixed(2)} copies; trace ${report.hash} of ${report.events} events`,
);
