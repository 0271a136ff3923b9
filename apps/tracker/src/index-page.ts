// The pages of the app: a list of the torrents it offers, and the torrent files themselves.
import { type ScrapeCounts, isFailure } from '@shoal/tracker-protocol';
import type { Page, ScrapeDone, SwarmService } from '@shoal/tracker-server';
import type { OfferedTorrent, TorrentFolder } from './torrent-folder.ts';

/** The folder under which torrent files are found. */
const torrentPath = '/torrents/';

/** How long the list stays good, so that visitors cannot keep us writing: ten thousand torrents take 15 ms. */
const listMs = 2000;

/** What a scrape is answered with. */
type Counts = Parameters<ScrapeDone>[0];

/** Serves `/` and `/torrents/NAME.torrent`. */
export function pagesOf(
  service: SwarmService,
  folder: TorrentFolder | undefined,
  clock: () => number,
): (path: string) => Promise<Page | undefined> {
  let [written, list]: [number, Promise<Page> | undefined] = [-Infinity, undefined];
  const index = (now: number): Promise<Page> => {
    if (list === undefined || now - written >= listMs) {
      written = now;
      list = indexPage(service, folder, now);
    }
    return list;
  };
  return async (path) => {
    if (path === '/') return index(clock());
    if (folder === undefined || !path.startsWith(torrentPath)) return undefined;
    const file = decoded(path.slice(torrentPath.length));
    const body = file === undefined ? undefined : await folder.read(file, clock());
    return body && { contentType: 'application/x-bittorrent', body };
  };
}

async function indexPage(service: SwarmService, folder: TorrentFolder | undefined, now: number): Promise<Page> {
  const torrents = (await folder?.list(now)) ?? [];
  const hashes = torrents.map(({ infoHash }) => infoHash);
  const counts = await new Promise<Counts>((resolve) => service.scrape(hashes, now, resolve));
  const rows = torrents.map((torrent, index) => row(torrent, isFailure(counts) ? 'unknown' : counts[index]));
  const list =
    rows.length === 0
      ? '<p>No torrents are offered here.</p>'
      : `<table>
<thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Seeders</th><th scope="col">Leechers</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`;
  return { contentType: 'text/html; charset=utf-8', body: document(list) };
}

/** `counts`: undefined where nobody is. */
function row({ file, name, size }: OfferedTorrent, counts: ScrapeCounts | 'unknown' | undefined): string {
  const link = `<a href="${torrentPath}${escaped(encodeURIComponent(file))}">${escaped(name)}</a>`;
  const { complete, incomplete } = counts === 'unknown' ? { complete: '–', incomplete: '–' } : (counts ?? nobody);
  return `<tr><td>${link}</td><td>${formatSize(size)}</td><td>${complete}</td><td>${incomplete}</td></tr>`;
}

const nobody = { complete: 0, incomplete: 0 } as const;

function document(body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Torrents</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color-scheme: light dark; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .25rem .5rem .25rem 0; text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>Torrents</h1>
${body}
<p><a href="/stats">Tracker statistics</a></p>
</body>
</html>
`;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A size in IEC units, three significant digits. */
export function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [size, unit] = [bytes, 0];
  for (; size >= 1000 && unit < units.length - 1; unit++) size /= 1024;
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toPrecision(3)} ${units[unit]}`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
