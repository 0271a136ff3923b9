// The extended handshake (BEP 10): a dictionary that names the extensions a side understands, and facts about it.
// Decides what of it can be believed; must not know what the extensions do. Every field is optional and untrusted.
import {
  type BencodeDictionary,
  type BencodeInput,
  type BencodeValue,
  decodePrefix,
  encode,
  utf8,
} from '@shoal/bencode';
import { WireError } from '../errors.ts';

/** What one side says about itself. Absent fields were not said, or were said wrongly. */
export interface ExtendedHandshake {
  /** `m`: the sender's id of each extension by name; 0 turns it off. Additive: what is not named stays as it was. */
  readonly extensions: ReadonlyMap<string, number>;
  /** `v`: name and version of the client. */
  readonly client?: string;
  /** `p`: the port on which the sender listens. */
  readonly listenPort?: number;
  /** `reqq`: requests that the sender queues before it drops any. */
  readonly requestLimit?: number;
  /** `yourip`: the receiver's address as the sender sees it, 4 or 16 bytes; IPv4-mapped is unwrapped. */
  readonly yourAddress?: Uint8Array;
  /** `upload_only`: the sender wants nothing (BEP 21). */
  readonly uploadOnly?: boolean;
  /** `metadata_size`: bytes of the info dictionary (BEP 9). A claim: check before allocating. */
  readonly metadataSize?: number;
}

/** The payload of an extended handshake, without its extended id 0. */
export function encodeExtendedHandshake(handshake: ExtendedHandshake): Uint8Array {
  const fields: Record<string, BencodeInput> = { m: handshake.extensions };
  if (handshake.client !== undefined) fields['v'] = handshake.client;
  if (handshake.listenPort !== undefined) fields['p'] = handshake.listenPort;
  if (handshake.requestLimit !== undefined) fields['reqq'] = handshake.requestLimit;
  if (handshake.yourAddress !== undefined) fields['yourip'] = handshake.yourAddress;
  if (handshake.uploadOnly !== undefined) fields['upload_only'] = handshake.uploadOnly ? 1 : 0;
  if (handshake.metadataSize !== undefined) fields['metadata_size'] = handshake.metadataSize;
  return encode(fields);
}

/**
 * Reads the payload of an extended handshake. Fields of the wrong type or out of range are left out; bytes after the
 * dictionary are ignored.
 * @throws WireError `invalid-extended-handshake` when it is no bencoded dictionary
 */
export function decodeExtendedHandshake(payload: Uint8Array): ExtendedHandshake {
  const fields = dictionaryOf(payload);
  const client = textOf(fields.get('v'));
  const listenPort = integerOf(fields.get('p'), 1, 65_535);
  const requestLimit = integerOf(fields.get('reqq'), 1, Number.MAX_SAFE_INTEGER);
  const yourAddress = addressOf(fields.get('yourip'));
  const uploadOnly = integerOf(fields.get('upload_only'), 0, Number.MAX_SAFE_INTEGER);
  const metadataSize = integerOf(fields.get('metadata_size'), 1, Number.MAX_SAFE_INTEGER);
  return {
    extensions: extensionsOf(fields.get('m')),
    ...(client === undefined ? {} : { client }),
    ...(listenPort === undefined ? {} : { listenPort }),
    ...(requestLimit === undefined ? {} : { requestLimit }),
    ...(yourAddress === undefined ? {} : { yourAddress }),
    ...(uploadOnly === undefined ? {} : { uploadOnly: uploadOnly !== 0 }),
    ...(metadataSize === undefined ? {} : { metadataSize }),
  };
}

/** Both sides' ids. Ids are the receiver's numbering: what we send bears the peer's, what we get bears ours. */
export class ExtensionTable {
  readonly #names: readonly string[];
  readonly #peerIds = new Map<string, number>();

  /** `names` in the order of our ids, from 1. */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** What our handshake says in `m`. */
  get ours(): ReadonlyMap<string, number> {
    return new Map(this.#names.map((name, index) => [name, index + 1]));
  }

  /** Merges what a handshake of the peer says. Names that we do not know are not kept. */
  merge(extensions: ReadonlyMap<string, number>): void {
    for (const name of this.#names) {
      const id = extensions.get(name);
      if (id === 0) this.#peerIds.delete(name);
      else if (id !== undefined) this.#peerIds.set(name, id);
    }
  }

  /** The extension that a message to us is for; undefined for an id that we never gave out. */
  nameOf(id: number): string | undefined {
    return this.#names[id - 1];
  }

  /** The id that a message to the peer has to bear; undefined when the peer has not, or has no longer, that extension. */
  peerIdOf(name: string): number | undefined {
    return this.#peerIds.get(name);
  }
}

function dictionaryOf(payload: Uint8Array): BencodeDictionary {
  let value: BencodeValue;
  try {
    value = decodePrefix(payload, { lenient: true, maxDepth: maxHandshakeDepth }).value;
  } catch (cause) {
    throw new WireError('invalid-extended-handshake', 'the extended handshake is not bencoded', { cause });
  }
  if (value instanceof Map) return value;
  throw new WireError('invalid-extended-handshake', 'the extended handshake is not a dictionary');
}

function extensionsOf(value: BencodeValue | undefined): ReadonlyMap<string, number> {
  const extensions = new Map<string, number>();
  if (!(value instanceof Map)) return extensions;
  for (const [name, each] of value) {
    const id = integerOf(each, 0, 255);
    if (id !== undefined) extensions.set(name, id);
  }
  return extensions;
}

function integerOf(value: BencodeValue | undefined, least: number, most: number): number | undefined {
  return typeof value === 'number' && value >= least && value <= most ? value : undefined;
}

function textOf(value: BencodeValue | undefined): string | undefined {
  if (!(value instanceof Uint8Array) || value.length === 0) return undefined;
  return utf8(value.subarray(0, maxClientBytes));
}

/** A copy, 4 or 16 bytes; ::ffff:a.b.c.d becomes a.b.c.d. */
function addressOf(value: BencodeValue | undefined): Uint8Array | undefined {
  if (!(value instanceof Uint8Array)) return undefined;
  if (value.length === 4) return value.slice();
  if (value.length !== 16) return undefined;
  return mappedPrefix.every((byte, at) => value[at] === byte) ? value.slice(12) : value.slice();
}

/** ::ffff:0:0/96 (RFC 4291, 2.5.5.2). */
const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
/** A name for people; the longest seen in the field are under 50 bytes. */
const maxClientBytes = 128;
/** BEP 10 nests two deep; a few levels more for fields that we do not know. */
const maxHandshakeDepth = 10;
