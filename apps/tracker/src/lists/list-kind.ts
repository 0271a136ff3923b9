// The kinds of lists an operator keeps: how entries are written, and what a file and single entries added to it or
// taken out make together.
import { setImmediate } from 'node:timers/promises';
import {
  type AddressRanges,
  type ClientPrefixes,
  InfoHashSet,
  type InfoHashes,
  amendedInfoHashes,
  parseAddressList,
  parseAddressRange,
  parseClientList,
  parseClientPrefix,
  parseInfoHash,
  readInfoHashList,
} from '@shoal/tracker';

/** How one kind of list is read and put together. `Content`: a file as read; `Rules`: what policy asks. */
export interface ListKind<Content, Rules> {
  /** What an entry is, for messages. */
  readonly entry: string;
  readonly empty: Content;
  /** Reads a file, a piece at a time where it may be long. @throws PolicyListError */
  read(bytes: Uint8Array): Promise<Content>;
  /** An entry as it is compared. @throws PolicyListError */
  normalised(text: string): string;
  has(content: Content, entry: string): boolean;
  size(content: Content): number;
  /** Everything in `content` but `removed`, and `added`. */
  combined(content: Content, added: readonly string[], removed: readonly string[]): Rules;
}

/** Torrents, of which there may be millions: the file stays one table, and what was changed lies beside it. */
export const torrentList: ListKind<InfoHashSet, InfoHashes> = {
  entry: 'an info-hash of 40 hexadecimal digits',
  empty: new InfoHashSet(0),
  read: (bytes) => inSteps(readInfoHashList(bytes)),
  normalised: (text) => {
    parseInfoHash(text);
    return text.toLowerCase();
  },
  has: (content, entry) => content.has(parseInfoHash(entry)),
  size: (content) => content.size,
  combined: (content, added, removed) =>
    added.length + removed.length === 0
      ? content
      : amendedInfoHashes(content, added.map(bytesOf), removed.map(bytesOf)),
};

/** Clients by the beginning of their peer ids. */
export const clientList: ListKind<ReadonlySet<string>, ClientPrefixes> = textList(
  'the beginning of a peer id',
  (text) => {
    parseClientPrefix(text);
    // In the form of a list it would begin a comment.
    return text.replace(/^#/, '%23');
  },
  parseClientList,
);

/** Addresses and ranges of them. */
export const addressList: ListKind<ReadonlySet<string>, AddressRanges> = textList(
  'an address, a CIDR range or two addresses with a hyphen between',
  (text) => {
    parseAddressRange(text);
    // Whatever counts as a blank, a line end too: entries are put together as lines.
    return text.toLowerCase().replaceAll(/\s/g, '');
  },
  parseAddressList,
);

/** Of an entry, which has been checked. */
function bytesOf(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex');
}

/** Requests are answered between two steps. */
async function inSteps<Result>(steps: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await setImmediate();
  }
}

/** A list short enough to be put together anew whenever it changes. */
function textList<Rules>(
  entry: string,
  normalised: (text: string) => string,
  build: (bytes: Uint8Array) => Rules,
): ListKind<ReadonlySet<string>, Rules> {
  return {
    entry,
    normalised,
    empty: new Set(),
    read: async (bytes) => {
      // For its error, which knows line and column.
      build(bytes);
      return new Set(entriesIn(bytes).map(normalised));
    },
    has: (content, one) => content.has(one),
    size: (content) => content.size,
    combined: (content, added, removed) => {
      const kept = new Set([...content, ...added]);
      for (const one of removed) kept.delete(one);
      return build(Buffer.from([...kept].join('\n'), 'latin1'));
    },
  };
}

/** As the lists of @shoal/tracker: a line each, comments from a # that begins the line or follows a blank. */
function entriesIn(bytes: Uint8Array): string[] {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\u00EF\u00BB\u00BF/, '')
    .split(/\r\n|\r|\n/)
    .map((line) => line.replace(/(?:^|[ \t])#.*/, '').trim())
    .filter((line) => line !== '');
}
