// Queries of announces and scrapes, from the question mark to the body of the answer, without sockets. BEP 3, 23, 48.
import { parseIp } from '@shoal/tracker-protocol';
import { answerAnnounce, answerScrape } from '../../packages/tracker-server/src/http/answers.ts';
import { type SwarmService, localService } from '../../packages/tracker-server/src/swarm-service.ts';
import { type Scene, type Target, expectEqual } from '../target.ts';
import { World, type WorldSettings, sources, worldSettings } from '../world.ts';
import { type Reach, direct } from '../workers/rings.ts';
import { type HttpInput, httpInputs } from './inputs.ts';
import { judgeAnnounce, judgeScrape } from './judge.ts';

export interface HttpSettings extends WorldSettings {
  readonly scrapeLimit: number;
}

export const httpTarget: Target<HttpSettings, HttpInput> = {
  name: 'http',
  episode: 5000,
  settings: (dice) => ({ ...worldSettings(dice), scrapeLimit: dice.pick([1, 74, 500]) }),
  inputs: httpInputs,
  open: (settings) => new HttpScene(settings),
};

export class HttpScene implements Scene<HttpInput> {
  readonly seen: Record<string, number> = {};
  readonly #world: World;
  readonly #reach: Reach;
  #now = 0;
  readonly #scrapeLimit: number;

  constructor(settings: HttpSettings, reach: (service: SwarmService, clock: () => number) => Reach = direct) {
    this.#world = new World(settings);
    this.#reach = reach(localService(this.#world.tracker), () => this.#now);
    this.#scrapeLimit = settings.scrapeLimit;
  }

  feed(input: HttpInput): void {
    if (input.type === 'expire') return this.#world.expire(input.at);
    const source = sources[input.from];
    if (source === undefined) throw new RangeError('no such source');
    const bodies: string[] = [];
    const take = ({ body }: { readonly body: Uint8Array }): void =>
      void bodies.push(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'));
    const { query, at } = input;
    const { service, deliver } = this.#reach;
    this.#now = at;
    if (input.type === 'announce') {
      const address = parseIp(source.text.replace(/%.*/, ''));
      answerAnnounce(service, query, () => address, at, take);
    } else answerScrape(service, query, this.#scrapeLimit, at, take);
    deliver();
    expectEqual('answers', bodies.length, 1);
    const [body = ''] = bodies;
    const kind =
      input.type === 'announce'
        ? judgeAnnounce(this.#world, query, source, at, body)
        : judgeScrape(this.#world, query, this.#scrapeLimit, body);
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {
    this.#world.inspect();
  }

  close(): void {}
}
