// The same swarm where there is no terminal: one line now and then, short enough for a log. Pure.
import { fromPeersBytes, sum, type SwarmPicture } from '../picture.ts';
import { formatCopies, formatPercent, formatSeconds } from './text.ts';

/** More peers than this are told as a sum. */
const mostNamed = 8;

/** Undefined when there is nothing to tell: before the downloaders start, and after they end. */
export function progressLine(picture: SwarmPicture): string | undefined {
  if (picture.phase !== 'downloading') return undefined;
  const { peers, content, origin } = picture;
  const total = content?.totalBytes ?? 0;
  const percent = (done: number): string => (total === 0 ? '0 %' : formatPercent(done, total));
  const each =
    peers.length <= mostNamed
      ? peers.map(({ name, doneBytes }) => `${name} ${percent(doneBytes)}`).join(', ')
      : `${peers.filter(({ seconds }) => seconds !== undefined).length} of ${peers.length} complete, ` +
        `least ${percent(Math.min(...peers.map(({ doneBytes }) => doneBytes)))}`;
  const given = formatCopies(sum(peers.map(fromPeersBytes)), total);
  return `${formatSeconds(picture.seconds)}: ${each}; origin sent ${formatCopies(origin.uploadedBytes, total)}, peers each other ${given}`;
}
