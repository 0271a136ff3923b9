// Our tracker as a process of its own, for whoever has to announce.
import path from 'node:path';
import { trackerAddress } from './network.ts';
import { Measured } from './processes.ts';

const startLimitMs = 20_000;

export interface TrackerProcess {
  readonly process: Measured;
  /** `http://address:port`; announces go to `/announce` below it. */
  readonly url: string;
}

/** `intervalSeconds`: what it tells clients to wait between announces. */
export async function startTracker(intervalSeconds: number): Promise<TrackerProcess> {
  const main = path.join(import.meta.dirname, '../apps/tracker/dist/main.js');
  const options = ['--http', `${trackerAddress}:0`, '--udp', 'off', '--interval', String(intervalSeconds), '--json'];
  const tracker = new Measured([process.execPath, '-C', 'built', main, 'serve', ...options]);
  const [, url = ''] = await tracker.says(/"http":"([^"]+)"/, startLimitMs);
  return { process: tracker, url };
}
