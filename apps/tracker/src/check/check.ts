// `check`: looks at a tracker from outside, over everything it may serve, all at once.
import { randomBytes } from 'node:crypto';
import { type CheckReport, reportOf } from './report.ts';
import { targetsOf } from './targets.ts';
import { visit } from './visit.ts';

export interface CheckOptions {
  readonly urls: readonly string[];
  /** Leave out the transports that nobody named. */
  readonly only: boolean;
  /** For each request. */
  readonly timeoutMs: number;
  /** A torrent the tracker serves, 20 bytes; undefined makes one up for each target. */
  readonly infoHash: Uint8Array | undefined;
}

/** Checks trackers. @throws TargetError */
export async function check({ urls, only, timeoutMs, infoHash }: CheckOptions): Promise<CheckReport> {
  const targets = (await Promise.all(urls.map((url) => targetsOf(url, only)))).flat();
  const findings = targets.map(async (target) => {
    const seen = await visit(target, { infoHash: infoHash ?? randomBytes(20), timeoutMs });
    return { target, seen };
  });
  return reportOf(await Promise.all(findings));
}
