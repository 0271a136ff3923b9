/**
 * Writes a .torrent file around an info dictionary whose bytes are already fixed, so that nothing written here can change the
 * info-hash. BEP 3, 12, 19.
 */
import { encode, type BencodeInput } from '@shoal/bencode';

/** What a .torrent file says outside its info dictionary. */
export interface MetainfoFields {
  /** Tracker URLs, best tier first (BEP 12). Default none. */
  readonly announceTiers?: readonly (readonly string[])[] | undefined;
  /** HTTP or FTP addresses of the content (BEP 19). Default none. */
  readonly webSeeds?: readonly string[] | undefined;
  readonly comment?: string | undefined;
  readonly createdBy?: string | undefined;
  /** Whole seconds since 1970 (UTC). Default none: the same content then gives the same bytes. */
  readonly creationDate?: number | undefined;
}

/**
 * A .torrent file with exactly these info bytes: to save what a magnet link's peers sent (BEP 9), or to change trackers.
 * @throws RangeError when the creation date is no whole number.
 */
export function encodeMetainfo(infoBytes: Uint8Array, fields: MetainfoFields = {}): Uint8Array {
  const tiers = fields.announceTiers?.filter((tier) => tier.length > 0) ?? [];
  const webSeeds = fields.webSeeds ?? [];
  const root: Record<string, BencodeInput | undefined> = {
    announce: tiers[0]?.[0],
    // BEP 12 readers ignore `announce` beside a list, so one tracker needs no list.
    'announce-list': tiers.flat().length > 1 ? tiers : undefined,
    comment: fields.comment,
    'created by': fields.createdBy,
    'creation date': fields.creationDate,
    'url-list': webSeeds.length > 0 ? webSeeds : undefined,
  };
  const parts: Uint8Array[] = [ascii('d')];
  for (const key of [...Object.keys(root), 'info'].toSorted()) {
    const value = root[key];
    if (key === 'info') parts.push(encode(key), infoBytes);
    else if (value !== undefined) parts.push(encode(key), encode(value));
  }
  parts.push(ascii('e'));
  return new Uint8Array(Buffer.concat(parts));
}

function ascii(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}
