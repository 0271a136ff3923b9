// What a message means, by its JSON: read field by field with the exact types that WebTorrent's messages have.

export interface ReadAnnounce {
  readonly action: 'announce';
  readonly infoHash: string;
  readonly peerId: string;
  readonly seeding: boolean;
  readonly partial: boolean;
  readonly leaving: boolean;
  readonly offers: readonly { readonly offerId: string; readonly sdp: string }[];
}

export interface ReadAnswer {
  readonly action: 'answer';
  readonly infoHash: string;
  readonly peerId: string;
  readonly toPeerId: string;
  readonly offerId: string;
  readonly sdp: string;
}

export interface ReadScrape {
  readonly action: 'scrape';
  readonly infoHashes: readonly string[];
}

/** Undefined where the message breaks the protocol. */
export function readMessage(text: string): ReadAnnounce | ReadAnswer | ReadScrape | undefined {
  const fields = parsed(text);
  if (fields?.['action'] === 'scrape') return readScrape(fields['info_hash']);
  if (fields?.['action'] !== 'announce') return undefined;
  const { info_hash: infoHash, peer_id: peerId, left, event } = fields;
  if (!isId(infoHash) || !isId(peerId)) return undefined;
  if (fields['answer'] !== undefined && fields['answer'] !== null) {
    const { to_peer_id: toPeerId, offer_id: offerId } = fields;
    const sdp = description(fields['answer'], 'answer');
    if (!isId(toPeerId) || !isId(offerId) || sdp === undefined) return undefined;
    return { action: 'answer', infoHash, peerId, toPeerId, offerId, sdp };
  }
  const offers = readOffers(fields['offers'] ?? []);
  if (offers === undefined) return undefined;
  const seeding = typeof left === 'number' && left >= 0 && left < 1;
  const partial = event === 'paused' && !seeding;
  return { action: 'announce', infoHash, peerId, seeding, partial, leaving: event === 'stopped', offers };
}

function readOffers(value: unknown): ReadAnnounce['offers'] | undefined {
  if (!Array.isArray(value)) return undefined;
  const offers = value.slice(0, 10).map((offer: unknown) => {
    const offerId = isObject(offer) ? offer['offer_id'] : undefined;
    const sdp = isObject(offer) ? description(offer['offer'], 'offer') : undefined;
    return isId(offerId) && sdp !== undefined ? { offerId, sdp } : undefined;
  });
  const read = offers.filter((offer) => offer !== undefined);
  return read.length === offers.length ? read : undefined;
}

function readScrape(value: unknown): ReadScrape | undefined {
  const listed: readonly unknown[] = Array.isArray(value) ? value : [value];
  const infoHashes = listed.filter(isId);
  if (infoHashes.length !== listed.length || listed.length === 0 || listed.length > 74) return undefined;
  return { action: 'scrape', infoHashes: [...new Set(infoHashes)] };
}

function description(value: unknown, type: string): string | undefined {
  if (!isObject(value) || value['type'] !== type || typeof value['sdp'] !== 'string') return undefined;
  return value['sdp'].length <= 16_384 ? value['sdp'] : undefined;
}

/** The object that a text is; undefined for anything else. */
export function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length === 20 && Buffer.from(value, 'latin1').toString('latin1') === value;
}
