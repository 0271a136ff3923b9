// Where a tracker is scraped: the convention that BitTorrent's author announced in 2003. BEP 48.

/**
 * The scrape URL of an announce URL: the text after the last slash must begin with `announce`, which becomes `scrape`;
 * otherwise undefined. Nothing is unquoted. A UDP tracker is scraped where it is announced to (BEP 15).
 */
export function scrapeUrlOf(announceUrl: string): string | undefined {
  if (/^udp:/i.test(announceUrl)) return announceUrl;
  const at = announceUrl.lastIndexOf('/') + 1;
  if (at === 0 || !announceUrl.startsWith('announce', at)) return undefined;
  return `${announceUrl.slice(0, at)}scrape${announceUrl.slice(at + 'announce'.length)}`;
}
