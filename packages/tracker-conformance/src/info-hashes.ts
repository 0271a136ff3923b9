// Which info-hashes a run announces to, for trackers that serve only listed torrents.
import { infoHashesOf } from './case-context.ts';
import { cases } from './cases.ts';

/** All info-hashes (20 bytes each) that one `runConformance` with this seed announces to. */
export function infoHashesFor(seed: string): Uint8Array[] {
  return cases.filter(({ transports }) => transports.length > 0).flatMap((entry) => infoHashesOf(seed, entry));
}
