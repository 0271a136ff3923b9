// Messages of WebTorrent peers: announces with offers, answers to offers that they were given and to others, scrapes,
// and JSON that is almost one of these.
import type { Dice } from '../random.ts';
import { type WorldSettings, infoHashes, peerIds } from '../world.ts';
import { spoiledText } from '../http/inputs.ts';

export type WebSocketInput =
  | {
      readonly type: 'message';
      readonly at: number;
      /** Which client sends it. */
      readonly client: number;
      readonly text: string;
    }
  | {
      /** An answer to an offer that this client was given: the one with this number, counted from the last. */
      readonly type: 'answer';
      readonly at: number;
      readonly client: number;
      readonly back: number;
      /** What is wrong with it, if anything. */
      readonly wrong: 'nothing' | 'peer_id' | 'to_peer_id' | 'offer_id' | 'info_hash';
    }
  | { readonly type: 'close'; readonly at: number; readonly client: number }
  | { readonly type: 'expire'; readonly at: number };

export const clientCount = 12;

const steps: readonly number[] = [0, 0, 0, 1, 50, 1000];
const leaps: readonly number[] = [60_000, 119_000, 121_000, 240_000];

export function webSocketInputs(settings: WorldSettings, dice: Dice): () => WebSocketInput {
  let now = dice.below(10_000);
  return () => {
    now += dice.chance(0.003) ? dice.pick([...leaps, settings.lifetimeMs]) : dice.pick(steps);
    const client = dice.below(clientCount);
    const kind = dice.uniform();
    if (kind < 0.004) return { type: 'expire', at: now };
    if (kind < 0.02) return { type: 'close', at: now, client };
    if (kind < 0.25) {
      const wrong = dice.chance(0.8)
        ? 'nothing'
        : dice.pick(['peer_id', 'to_peer_id', 'offer_id', 'info_hash'] as const);
      return { type: 'answer', at: now, client, back: dice.chance(0.7) ? 0 : dice.below(20), wrong };
    }
    return { type: 'message', at: now, client, text: message(dice, client) };
  };
}

function message(dice: Dice, client: number): string {
  const fields = dice.chance(0.85) ? announce(dice, client) : scrape(dice);
  if (dice.chance(0.1)) fields[dice.pick(fieldNames)] = odd(dice);
  const text = JSON.stringify(fields);
  if (dice.chance(0.03)) return spoiledText(dice, text);
  // What JSON lets stand twice, and what it takes for an object's own.
  return dice.chance(0.03)
    ? text.replace('{', dice.pick(['{"__proto__":{"action":"scrape"},', '{"action":1,', ' {']))
    : text;
}

function announce(dice: Dice, client: number): Record<string, unknown> {
  const offers = Array.from({ length: dice.chance(0.9) ? dice.below(6) : dice.pick([9, 10, 11, 40]) }, () => ({
    offer: { type: 'offer', sdp: `v=0 ${dice.below(1000)}` },
    offer_id: dice.chance(0.9) ? latin1(dice.bytes(20)) : '\u0000'.repeat(19) + dice.pick(['a', 'b']),
  }));
  return {
    action: 'announce',
    info_hash: latin1(dice.pick(infoHashes.slice(0, 4))),
    // Most keep to one id, as they must within a connection; two clients share each.
    peer_id: latin1(dice.chance(0.95) ? peerIds[(client >> 1) % peerIds.length]! : dice.pick(peerIds)),
    left: dice.chance(0.8) ? dice.pick([0, 0, 1, null]) : dice.pick([-1, 1e300, '0', 0.5, undefined]),
    uploaded: dice.word(),
    downloaded: dice.word(),
    numwant: dice.word(),
    event: dice.pick(['started', 'update', 'completed', 'stopped', 'paused', undefined, 'STOPPED', '']),
    offers: dice.chance(0.95) ? offers : dice.pick([undefined, null, {}, 'offers', [offers]]),
  };
}

function scrape(dice: Dice): Record<string, unknown> {
  const hashes = Array.from({ length: dice.chance(0.9) ? dice.below(5) : dice.pick([74, 75, 500]) }, () =>
    latin1(dice.chance(0.7) ? dice.pick(infoHashes) : dice.bytes(20)),
  );
  return { action: 'scrape', info_hash: dice.chance(0.3) ? hashes[0] : hashes };
}

const fieldNames = ['action', 'info_hash', 'peer_id', 'offers', 'left', 'event', 'answer', 'offer_id', 'to_peer_id'];

/** A value of a type that nobody expects. */
function odd(dice: Dice): unknown {
  const ids = [latin1(dice.bytes(19)), latin1(dice.bytes(21)), '\u0100'.repeat(20), 'x'.repeat(20)];
  const answers = [
    { type: 'answer', sdp: 'v=0' },
    { type: 'offer', sdp: 'v=0' },
    { type: 'answer', sdp: 1 },
  ];
  return dice.pick([
    null,
    undefined,
    0,
    -1,
    '',
    [],
    {},
    [[]],
    true,
    Infinity,
    { length: 20 },
    ...ids,
    ...answers,
    'x'.repeat(20_000),
  ]);
}

export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
