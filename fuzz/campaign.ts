// Episode after episode of one target: each begins anew with settings and inputs of its own seed, and ends with a look
// at everything. What fails is made smaller before it is shown.
import { Dice } from './random.ts';
import { type Scene, type Target, Mismatch } from './target.ts';

/** A sequence of inputs that ends in something wrong. */
export interface Failure<Settings, Input> {
  readonly target: string;
  /** The campaign's seed and the episode in it. */
  readonly seed: number;
  readonly episode: number;
  readonly settings: Settings;
  readonly inputs: readonly Input[];
  readonly reason: string;
}

export interface CampaignOptions {
  readonly seed: number;
  /** Stops before the next episode. */
  readonly enough: (inputs: number) => boolean;
  /** Hears of the state between episodes, now and then. */
  readonly onProgress: (progress: Progress) => void;
}

export interface Progress {
  readonly inputs: number;
  readonly episodes: number;
  readonly seen: Readonly<Record<string, number>>;
}

export interface CampaignResult<Settings, Input> extends Progress {
  readonly failure: Failure<Settings, Input> | undefined;
}

/** Inputs between two looks at the whole state. */
const inspectEvery = 500;

/** A failing sequence is shortened by trying again for so long, in ms. */
const shrinkingMs = 8000;

export async function campaign<Settings, Input>(
  target: Target<Settings, Input>,
  { seed, enough, onProgress }: CampaignOptions,
): Promise<CampaignResult<Settings, Input>> {
  const seen: Record<string, number> = {};
  let inputs = 0;
  let episodes = 0;
  for (; !enough(inputs); episodes++) {
    // Neighbouring seeds give unlike sequences: the first throws of Mulberry32 depend on all bits.
    const dice = new Dice(seed + Math.imul(episodes, 0x9e37_79b1));
    const settings = target.settings(dice);
    const source = target.inputs(settings, dice);
    const fed: Input[] = [];
    const { reason } = await play(target, settings, seen, function* () {
      for (let index = 0; index < target.episode; index++) {
        const input = source();
        fed.push(input);
        yield input;
      }
    });
    inputs += fed.length;
    if (reason !== undefined) {
      const found = { target: target.name, seed, episode: episodes, settings, inputs: fed, reason };
      return { inputs, episodes, seen, failure: await shrunk(target, found) };
    }
    onProgress({ inputs, episodes, seen });
  }
  return { inputs, episodes, seen, failure: undefined };
}

/** Feeds inputs once more; says what is wrong, if anything is. */
export async function replay<Settings, Input>(
  target: Target<Settings, Input>,
  settings: Settings,
  inputs: readonly Input[],
): Promise<string | undefined> {
  const { reason } = await play(target, settings, {}, () => inputs);
  return reason;
}

async function play<Settings, Input>(
  target: Target<Settings, Input>,
  settings: Settings,
  seen: Record<string, number>,
  inputs: () => Iterable<Input>,
): Promise<{ readonly reason: string | undefined }> {
  const scene = await target.open(settings);
  try {
    await feedAll(scene, inputs());
    return { reason: undefined };
  } catch (error) {
    return { reason: reasonOf(error) };
  } finally {
    await scene.close();
    for (const [kind, count] of Object.entries(scene.seen)) seen[kind] = (seen[kind] ?? 0) + count;
  }
}

async function feedAll<Input>(scene: Scene<Input>, inputs: Iterable<Input>): Promise<void> {
  let count = 0;
  for (const input of inputs) {
    const pending = scene.feed(input);
    if (pending !== undefined) await pending;
    if (++count % inspectEvery === 0) await scene.inspect();
  }
  await scene.inspect();
}

/** Leaves out whatever is not needed for something to go wrong: halves first, single inputs last. */
async function shrunk<Settings, Input>(
  target: Target<Settings, Input>,
  failure: Failure<Settings, Input>,
): Promise<Failure<Settings, Input>> {
  let { inputs, reason } = failure;
  const endsAt = performance.now() + shrinkingMs;
  for (let size = Math.ceil(inputs.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < inputs.length && performance.now() < endsAt;) {
      const fewer = inputs.toSpliced(at, size);
      const still = await replay(target, failure.settings, fewer);
      if (still === undefined) at += size;
      else [inputs, reason] = [fewer, still];
    }
  }
  return { ...failure, inputs, reason };
}

function reasonOf(error: unknown): string {
  if (error instanceof Mismatch) return error.message;
  // The code under test has thrown: where, is what matters.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
