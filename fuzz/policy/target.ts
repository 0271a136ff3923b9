// The operator's policy while its lists and numbers change, against one that reads every list from beginning to end.
import {
  PolicyListError,
  type PolicySettings,
  StandingPolicy,
  parseAddressList,
  parseClientList,
  parseInfoHashList,
} from '@shoal/tracker';
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { parseIp } from '@shoal/tracker-protocol';
import { hex } from '../model.ts';
import { Dice } from '../random.ts';
import { type Scene, type Target, Mismatch, expectEqual, expectThat } from '../target.ts';
import { infoHashes, peerIds, sources } from '../world.ts';
import { type Lists, type Numbers, type PolicyInput, type TextList, isWrong, policyInputs } from './inputs.ts';
import { PolicyModel } from './model.ts';

export const policyTarget: Target<{ readonly seed: number }, PolicyInput> = {
  name: 'policy',
  episode: 5000,
  settings: (dice) => ({ seed: dice.below(0x1_0000_0000) }),
  inputs: policyInputs,
  open: ({ seed }) => new PolicyScene(seed),
};

type Announce = Extract<PolicyInput, { readonly type: 'announce' }>;

class PolicyScene implements Scene<PolicyInput> {
  readonly seen: Record<string, number> = {};
  readonly #policy: StandingPolicy;
  readonly #model = new PolicyModel();
  #now = 0;

  constructor(seed: number) {
    this.#policy = new StandingPolicy({}, { random: new Dice(seed).uniform });
  }

  feed(input: PolicyInput): void {
    this.#now = input.at;
    const kind = input.type === 'announce' ? this.#announce(input) : this.#replace(input.lists, input.numbers);
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {
    for (const infoHash of infoHashes)
      expectEqual('serves', this.#policy.serves(infoHash), this.#model.torrentRefusal(hex(infoHash)) === undefined);
    const found = this.#policy.privateAddresses.finding(this.#now);
    const isLocal = sources.some(({ listed, reach }) => listed === found && reach === 'private');
    expectThat(found === undefined || isLocal, `a proxy at ${found}`);
  }

  close(): void {}

  #announce({ at, from, torrent, id, port, event, numWant }: Announce): string {
    const source = sources[from]!;
    const address = parseIp(source.listed);
    if (address === undefined) throw new RangeError('no such source');
    const counters = { uploaded: 0, downloaded: 0, left: 1 };
    const request: AnnounceRequest = {
      ...counters,
      infoHash: infoHashes[torrent]!,
      peerId: peerIds[id]!,
      port,
      event,
      numWant,
    };
    const refusal = this.#policy.refusal(request, address, at);
    const expected = this.#model.refusal(request, source, at);
    expectEqual('refusal', refusal?.code, expected?.code);
    if (expected?.interval !== undefined) expectEqual('interval of a refusal', refusal?.interval, expected.interval);
    expectEqual('listing', this.#policy.listing(address), this.#model.listing(source));
    expectEqual('peers wanted', this.#policy.wanted(request, at), this.#model.wanted(numWant));
    expectEqual('min interval', this.#policy.minInterval, this.#model.minInterval);
    if (refusal === undefined) this.#judgeInterval(at);
    return refusal?.code ?? 'welcome';
  }

  #judgeInterval(now: number): void {
    const told = this.#policy.interval(now);
    const [least, most] = this.#model.intervals;
    expectThat(
      Number.isInteger(told) && told >= least && told <= most,
      `an interval of ${told}, not ${least} to ${most}`,
    );
    const longest = this.#model.told(told, now);
    expectThat(
      this.#policy.longestInterval >= longest,
      `somebody was told ${longest} and waits; silence counts after ${this.#policy.longestInterval}`,
    );
  }

  #replace(lists: Lists, numbers: Numbers): string {
    let settings: PolicySettings;
    try {
      settings = { ...numbers, ...parsed(lists) };
    } catch (error) {
      if (!(error instanceof PolicyListError)) throw error;
      expectThat(
        Object.values(lists).some(({ badLine }: TextList) => badLine === error.line),
        `line ${error.line} is said to be wrong: ${error.message}`,
      );
      return 'settings with a bad list';
    }
    expectThat(
      Object.values(lists).every(({ badLine }: TextList) => badLine === undefined),
      'a bad list was read',
    );
    try {
      this.#policy.replace(settings);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      expectThat(isWrong(numbers), `settings that are right were refused: ${error.message}`);
      return 'settings out of range';
    }
    if (isWrong(numbers)) throw new Mismatch('settings out of range came into force');
    this.#model.replace(lists, numbers);
    return 'settings';
  }
}

function parsed(lists: Lists): PolicySettings {
  const read = <Value>(list: TextList | undefined, parse: (content: Uint8Array) => Value): Value | undefined =>
    list && parse(Buffer.from(list.text, 'latin1'));
  const all = {
    allowedTorrents: read(lists.allowedTorrents, parseInfoHashList),
    deniedTorrents: read(lists.deniedTorrents, parseInfoHashList),
    allowedClients: read(lists.allowedClients, parseClientList),
    deniedClients: read(lists.deniedClients, parseClientList),
    allowedAddresses: read(lists.allowedAddresses, parseAddressList),
    bannedAddresses: read(lists.bannedAddresses, parseAddressList),
  };
  // Without those that are not there, which is not the same as being undefined.
  return Object.fromEntries(Object.entries(all).filter(([, list]) => list !== undefined));
}
