// Queries as clients write them, as old clients wrote them, and as nobody should: each parameter in one of its
// spellings, then accidents with the text. Characters stand for bytes (Latin-1).
import type { Dice } from '../random.ts';
import { type WorldSettings, infoHashes, peerIds, ports, sources } from '../world.ts';

export type HttpInput =
  | {
      readonly type: 'announce' | 'scrape';
      readonly at: number;
      /** Index in `sources`. */
      readonly from: number;
      /** What follows the question mark, as it was sent. */
      readonly query: string;
    }
  | { readonly type: 'expire'; readonly at: number };

const steps: readonly number[] = [0, 0, 0, 1, 300, 1000];

export function httpInputs(settings: WorldSettings, dice: Dice): () => HttpInput {
  let now = dice.below(10_000);
  return () => {
    now += dice.chance(0.002) ? dice.pick([30_000, settings.lifetimeMs]) : dice.pick(steps);
    if (dice.chance(0.003)) {
      now = Math.ceil(now / 1000) * 1000;
      return { type: 'expire', at: now };
    }
    const type = dice.chance(0.8) ? 'announce' : 'scrape';
    return { type, at: now, from: dice.below(sources.length), query: queryFor(type, dice) };
  };
}

/** A query for an announce or a scrape; a quarter of them spoiled. */
export function queryFor(type: 'announce' | 'scrape', dice: Dice): string {
  const query = type === 'announce' ? announceQuery(dice) : scrapeQuery(dice);
  return dice.chance(0.25) ? spoiledText(dice, query) : query;
}

function announceQuery(dice: Dice): string {
  const pairs: (readonly [string, string])[] = [
    ['info_hash', encoded(dice, dice.pick(infoHashes))],
    ['peer_id', encoded(dice, dice.pick(peerIds))],
    ['port', String(dice.chance(0.95) ? dice.pick(ports) : numeral(dice))],
  ];
  if (dice.chance(0.9)) pairs.push(['left', dice.chance(0.8) ? dice.pick(['0', '0', '1', '16384']) : numeral(dice)]);
  for (const name of ['uploaded', 'downloaded', 'corrupt', 'redundant']) {
    if (dice.chance(0.5)) pairs.push([name, numeral(dice)]);
  }
  if (dice.chance(0.6)) pairs.push(['compact', dice.pick(['1', '1', '1', '0', '', '00', 'true'])]);
  if (dice.chance(0.3)) pairs.push(['no_peer_id', dice.pick(['1', '0', ''])]);
  if (dice.chance(0.5)) pairs.push(['event', dice.pick(events)]);
  if (dice.chance(0.4)) pairs.push([dice.pick(['numwant', 'num want', 'num+want', 'num%20want']), numeral(dice)]);
  if (dice.chance(0.1)) pairs.push(['last', numeral(dice)]);
  while (dice.chance(0.4)) pairs.push([dice.pick(textNames), encodedText(dice)]);
  return written(dice, pairs);
}

function scrapeQuery(dice: Dice): string {
  const count = dice.chance(0.95) ? dice.below(6) : dice.pick([73, 74, 75, 200]);
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < count; index++)
    pairs.push(['info_hash', encoded(dice, dice.chance(0.8) ? dice.pick(infoHashes) : dice.bytes(20))]);
  if (dice.chance(0.2)) pairs.push([dice.pick(textNames), encodedText(dice)]);
  return written(dice, pairs);
}

const events: readonly string[] = [
  ['started', 'completed', 'stopped', 'paused', 'empty', 'none', ''],
  ['STOPPED', 'Stopped', 'stopped%20', 'st%6fpped', 'stopp', 'toString', '\u00df'],
].flat();

const textNames: readonly string[] = [
  ['trackerid', 'ip', 'ipv4', 'ipv6', 'passkey', 'supportcrypto', 'cryptoport', 'azudp', 'hide'],
  ['__proto__', 'constructor', 'info%5fhash', 'amp;port', 'x?info_hash', ''],
].flat();

/** Pairs in some order, some of them twice, joined as somebody may join them. */
function written(dice: Dice, pairs: readonly (readonly [string, string])[]): string {
  const order = pairs.toSorted(() => dice.uniform() - 0.5);
  if (dice.chance(0.05)) order.push(dice.pick(pairs.length > 0 ? pairs : [['', '']]));
  let query = dice.chance(0.05) ? dice.pick(['?', '&', '&&', 'passkey=abc?', 'x=1?']) : '';
  for (const [index, [name, value]] of order.entries()) {
    const between = dice.chance(0.98) ? '&' : dice.pick(['&&', '&?', ';', '&amp;', '?', '&=&', '&x&', '&a=&']);
    query += `${index === 0 ? '' : between}${name}${dice.chance(0.99) ? '=' : dice.pick(['', '==', '=%3d'])}${value}`;
  }
  return query;
}

/** Bytes in a query: all escaped, only what must be, in either case; now and then of a wrong length. */
function encoded(dice: Dice, bytes: Uint8Array): string {
  const style = dice.below(4);
  const whole = dice.chance(0.97) ? bytes : dice.bytes(dice.pick([0, 19, 21, 32, 40, 64]));
  let text = '';
  for (const byte of whole) {
    const literal = style === 0 ? false : style === 1 ? byte > 0x20 && byte < 0x7f : /[\w.~!*()'-]/.test(chr(byte));
    const digits = byte.toString(16).padStart(2, '0');
    // A separator may never stand for itself.
    if (literal && !'&=%?#+'.includes(chr(byte))) text += chr(byte);
    else text += `%${style === 2 ? digits : digits.toUpperCase()}`;
  }
  return text;
}

function encodedText(dice: Dice): string {
  const text = dice.pick(texts);
  return dice.chance(0.8) ? encodeURIComponent(text) : text;
}

const texts: readonly string[] = [
  ['', '1', 'abcdef01', '1.2.3.4', '::1', '[2a00::1]:6881', '1.2.3.4:99999', 'x'.repeat(101), 'y'.repeat(3000)],
  ['%', '%4', '%zz', '%%', '%00', '\u00ff', '?info_hash=x', 'a?port=1', '=', '0x10', '1e3', '\u0000'],
].flat();

/** A number as text, or what stands in a number's place. */
function numeral(dice: Dice): string {
  if (dice.chance(0.7)) return String(dice.word());
  return dice.pick(oddNumerals);
}

const oddNumerals: readonly string[] = [
  ['', '-', '-0', '-1', '00', '007', '+1', '1.5', '1e9', '0x1f', ' 1', '1%20', '%31', 'NaN', 'Infinity', 'undefined'],
  ['9007199254740991', '9007199254740993', '9223372036854775807', '18446744073709551616', '9'.repeat(400)],
  ['-9223372036854775808', '99999', '65536', '\u00b9', '1-', '--1'],
].flat();

/** Text after an accident. */
export function spoiledText(dice: Dice, text: string): string {
  const at = dice.below(text.length + 1);
  const until = at + dice.below(Math.min(24, text.length - at + 1));
  switch (dice.below(6)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(until);
    case 2:
      return text.slice(0, until) + text.slice(at);
    case 3:
      return (
        text.slice(0, at) +
        dice.pick(['%', '%4', '&', '=', '?', '+', ';', '#', '\u0000', '\u00e4', ' ', '%u0041']) +
        text.slice(at)
      );
    case 4:
      return text.slice(0, at) + chr(dice.below(256)) + text.slice(at + 1);
    default:
      return text.slice(0, at) + Buffer.from(dice.bytes(dice.below(40))).toString('latin1') + text.slice(at);
  }
}

function chr(byte: number): string {
  return String.fromCharCode(byte);
}
