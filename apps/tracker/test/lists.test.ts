import { mkdtemp, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PolicyListError } from '@shoal/tracker';
import { parseIp } from '@shoal/tracker-protocol';
import { defaults } from '../src/configuration/settings.ts';
import { ConfigurationError } from '../src/errors.ts';
import { OperatorLists } from '../src/lists/operator-lists.ts';

const [one, other] = ['0123456789abcdef0123456789abcdef01234567', 'ffffffffffffffffffffffffffffffffffffffff'];
const hash = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

let folder: string;
let open: OperatorLists | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tracker-'));
});
afterEach(async () => {
  open?.[Symbol.dispose]();
  open = undefined;
  await rm(folder, { recursive: true });
});

/** What the lists told, one after the other. */
class Told {
  #told: (string | ConfigurationError)[] = [];
  #waiting: (() => void) | undefined;

  readonly events = {
    changed: (): void => this.#tell('changed'),
    read: (): void => {},
    failed: (error: ConfigurationError): void => this.#tell(error),
  };

  async next(): Promise<string | ConfigurationError> {
    while (this.#told.length === 0) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.#told.shift()!;
  }

  #tell(what: string | ConfigurationError): void {
    this.#told.push(what);
    this.#waiting?.();
  }
}

async function lists(files: Partial<typeof defaults>, told = new Told()): Promise<OperatorLists> {
  open = await OperatorLists.open({ ...defaults, ...files }, told.events);
  return open;
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('the lists of an operator', () => {
  test('decide nothing where no file is named', async () => {
    const none = await lists({});
    expect(none.rules).toEqual({});
    expect(none.all.map(({ name }) => name)).toEqual([
      'allow',
      'deny',
      'allow-clients',
      'deny-clients',
      'allow-addresses',
      'ban',
    ]);
  });

  test('say what their files say, in any case, with comments and any line ends', async () => {
    const found = await lists({
      allow: await file('allow', `\uFEFF# ours\r\n${one.toUpperCase()}\r\n\n  ${other}  # the other\n`),
      denyClients: await file('clients', '-XX # all of it\n'),
      ban: await file('ban', '192.0.2.0/24\n2001:db8::1-2001:db8::9'),
    });
    const { allowedTorrents, deniedClients, bannedAddresses } = found.rules;
    expect([one, other, '00'.repeat(20)].map((hex) => allowedTorrents?.has(hash(hex)))).toEqual([true, true, false]);
    expect(deniedClients?.matches(Buffer.from('-XX1000-abcdefghijkl'))).toBe(true);
    expect(['192.0.2.9', '2001:db8::5', '192.0.3.1'].map((ip) => bannedAddresses?.contains(parseIp(ip)!))).toEqual([
      true,
      true,
      false,
    ]);
    expect(found.find('allow')?.view).toMatchObject({ inForce: true, entries: 2, problem: undefined });
  });

  test('may be empty, and then an allow list lets nobody in', async () => {
    const found = await lists({ allow: await file('allow', '') });
    expect(found.rules.allowedTorrents?.has(hash(one))).toBe(false);
  });

  test('with a bad line are refused, naming file, line and column', async () => {
    const path = await file('ban', '192.0.2.1\n  nonsense\n');
    await expect(lists({ ban: path })).rejects.toThrow(`${path}:2:3: `);
    await expect(lists({ ban: path })).rejects.toThrow(ConfigurationError);
  });

  test('that cannot be read are refused, naming the file', async () => {
    await expect(lists({ deny: join(folder, 'none') })).rejects.toThrow(`cannot use the deny list ${folder}`);
  });
});

describe('a list that is edited', () => {
  test('is read again, written over or replaced by another file', async () => {
    const told = new Told();
    const path = await file('deny', one);
    const found = await lists({ deny: path }, told);
    await writeFile(path, other);
    expect(await told.next()).toBe('changed');
    expect(found.rules.deniedTorrents?.has(hash(one))).toBe(false);
    await file('new', one);
    await rename(join(folder, 'new'), path);
    expect(await told.next()).toBe('changed');
    expect(found.rules.deniedTorrents?.has(hash(one))).toBe(true);
  });

  test('keeps what it had when the new text is bad or the file is gone, and says so', async () => {
    const told = new Told();
    const path = await file('deny', one);
    const found = await lists({ deny: path }, told);
    await writeFile(path, `${one}\nnonsense`);
    expect(await told.next()).toMatchObject({ message: expect.stringContaining(`${path}:2:1: `) as string });
    expect(found.find('deny')?.view).toMatchObject({
      entries: 1,
      problem: expect.stringContaining(':2:1: ') as string,
    });
    expect(found.rules.deniedTorrents?.has(hash(one))).toBe(true);
    await unlink(path);
    expect(await told.next()).toBeInstanceOf(ConfigurationError);
    await writeFile(path, other);
    expect(await told.next()).toBe('changed');
    expect(found.find('deny')?.view).toMatchObject({ problem: undefined });
  });

  test('is read again on request, whether it changed or not', async () => {
    const path = await file('deny', one);
    const found = await lists({ deny: path });
    expect(await found.reload()).toBe(true);
    await writeFile(path, 'nonsense');
    expect(await found.reload()).toBe(false);
    expect(found.rules.deniedTorrents?.has(hash(one))).toBe(true);
  });

  test('may become another file, or none', async () => {
    const found = await lists({ deny: await file('deny', one) });
    await found.use({ ...defaults, deny: await file('other', other) });
    expect(found.rules.deniedTorrents?.has(hash(one))).toBe(false);
    await expect(found.use({ ...defaults, deny: join(folder, 'none') })).rejects.toThrow(ConfigurationError);
    expect(found.rules.deniedTorrents?.has(hash(other))).toBe(true);
    await found.use(defaults);
    expect(found.rules).toEqual({});
  });
});

describe('lists that become other files', () => {
  test('change all together or not at all', async () => {
    const found = await lists({ allow: await file('one', one), deny: await file('none', '') });
    const next = { ...defaults, allow: await file('other', other), deny: join(folder, 'missing') };
    await expect(found.use(next)).rejects.toThrow('cannot use the deny list');
    expect(found.rules.allowedTorrents?.has(hash(one))).toBe(true);
    expect(found.find('allow')?.view.file).toBe(join(folder, 'one'));
  });
});

describe('an override', () => {
  test('adds to a list and takes out of it, and both can be taken back', async () => {
    const found = await lists({ deny: await file('deny', one) });
    const deny = found.find('deny')!;
    expect([deny.add(other.toUpperCase()), deny.add(other), deny.remove(one), deny.remove(one)]).toEqual([
      'done',
      'already',
      'done',
      'already',
    ]);
    expect(deny.view).toMatchObject({ entries: 1, overrides: { added: [other], removed: [one] } });
    expect([one, other].map((hex) => found.rules.deniedTorrents?.has(hash(hex)))).toEqual([false, true]);
    expect([deny.add(one), deny.remove(other)]).toEqual(['done', 'done']);
    expect(deny.view).toMatchObject({ entries: 1, overrides: { added: [], removed: [] } });
  });

  test.each([
    ['ban', '192.0.2.0/24', '192.0.2.77'],
    ['ban', '2001:DB8::/32', '2001:db8::1'],
  ])('bans addresses with no file at all: %s %s', async (name, entry, ip) => {
    const found = await lists({});
    const list = found.find(name)!;
    expect(list.add(entry)).toBe('done');
    expect(found.rules.bannedAddresses?.contains(parseIp(ip)!)).toBe(true);
    expect(list.remove(entry)).toBe('done');
    expect(found.rules).toEqual({});
  });

  test('takes a client out of a list', async () => {
    const found = await lists({ denyClients: await file('clients', '-AA\n-BB') });
    expect(found.find('deny-clients')?.remove('-AA')).toBe('done');
    expect(found.rules.deniedClients?.matches(Buffer.from('-AA1000-abcdefghijkl'))).toBe(false);
    expect(found.rules.deniedClients?.matches(Buffer.from('-BB1000-abcdefghijkl'))).toBe(true);
  });

  test('does not begin an allow list, which would shut everybody else out', async () => {
    const found = await lists({});
    expect(found.find('allow')?.add(one)).toBe('not-begun');
    expect(found.rules).toEqual({});
  });

  test('that is no entry is an error', async () => {
    const found = await lists({});
    expect(() => found.find('ban')?.add('nonsense')).toThrow(PolicyListError);
    expect(() => found.find('deny')?.has('nonsense')).toThrow(PolicyListError);
  });

  test('is written in a way that is an entry of a file too', async () => {
    const found = await lists({});
    expect(found.find('ban')!.add('192.0.2.1 -\n\t192.0.2.9')).toBe('done');
    expect(found.find('ban')!.view.overrides.added).toEqual(['192.0.2.1-192.0.2.9']);
    expect(found.rules.bannedAddresses?.contains(parseIp('192.0.2.5')!)).toBe(true);
    expect(found.find('deny-clients')!.add('#XX')).toBe('done');
    expect(found.rules.deniedClients?.matches(Buffer.from('#XX1000-abcdefghijkl'))).toBe(true);
  });

  test('is forgotten once the file says the same, and holds over other edits', async () => {
    const path = await file('deny', '');
    const found = await lists({ deny: path });
    const deny = found.find('deny')!;
    deny.add(one);
    await writeFile(path, other);
    await found.reload();
    expect(deny.view).toMatchObject({ entries: 2, overrides: { added: [one] } });
    await writeFile(path, `${one}\n${other}`);
    await found.reload();
    expect(deny.view).toMatchObject({ entries: 2, overrides: { added: [] } });
  });

  test('is refused beyond a thousand, and taking one back is not', async () => {
    const deny = (await lists({ deny: await file('deny', '') })).find('deny')!;
    const numbered = (number: number): string => number.toString(16).padStart(40, '0');
    for (let number = 0; number < 1000; number++) deny.add(numbered(number));
    expect(deny.add(numbered(1000))).toBe('full');
    expect(deny.remove(numbered(1))).toBe('done');
    expect(deny.add(numbered(1000))).toBe('done');
  });
});
