// Run as a process of its own by determinism.test.ts: a swarm with everything in it; its whole trace goes to stdout.
import { corrupting, garbage, Simulation, stalling } from '../src/index.ts';

const lines: string[] = [];
const simulation = new Simulation({
  seed: Number(process.argv[2]),
  torrent: { pieceCount: 40, pieceLength: 32_768 },
  link: { jitterMs: 20 },
  trace: (line) => lines.push(line),
});
simulation.addTracker({ interval: 120, outages: [{ fromMs: 500, untilMs: 6000 }] });
simulation.addPeer({ name: 'origin', have: 'all' });
const leechers = Array.from({ length: 5 }, (_, index) => simulation.addPeer({ startMs: index * 150 }));
simulation.addPeer({ name: 'corrupter', have: 'all', behaviour: corrupting(0.3) });
simulation.addPeer({ name: 'staller', have: 'all', behaviour: stalling(5) });
simulation.addPeer({ name: 'stranger', behaviour: garbage('after-handshake') });
simulation.loseConnections(1500, 60_000);
simulation.at(9000, () => leechers[1]!.crash());
simulation.at(12_000, () => leechers[1]!.start());
const report = simulation.runUntil(() => leechers.every((peer) => peer.complete), 300_000);
lines.push(`${report.outcome} ${report.timeMs} ${report.events} ${report.hash}`);
process.stdout.write(lines.join('\n'));
