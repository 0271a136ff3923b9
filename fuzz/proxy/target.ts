// Whom proxies say that they forward: headers byte by byte, datagrams and connections with headers before them.
// proxy-protocol.txt of HAProxy.
import { parseIp } from '@shoal/tracker-protocol';
import { readProxyHeader } from '../../packages/tracker-server/src/proxy-protocol/header.ts';
import { hex } from '../model.ts';
import type { Dice } from '../random.ts';
import { type SocketInput, socketInputs } from '../sockets/inputs.ts';
import { SocketScene } from '../sockets/scene.ts';
import { type Scene, type Target, expectEqual } from '../target.ts';
import { type UdpInput, spoiled } from '../udp/inputs.ts';
import { UdpScene, type UdpSettings } from '../udp/scene.ts';
import { udpTarget } from '../udp/target.ts';
import { direct } from '../workers/rings.ts';
import { type WorldSettings, worldSettings } from '../world.ts';
import { someHeader } from './headers.ts';
import { type Reading, readReference } from './reference.ts';
import { ProxyWay } from './way.ts';

interface HeaderInput {
  readonly bytes: Uint8Array;
  readonly transport: 1 | 2;
}

export const proxyHeaderTarget: Target<Record<never, never>, HeaderInput> = {
  name: 'proxy-headers',
  episode: 2000,
  settings: () => ({}),
  inputs: (_settings, dice) => () => {
    const transport = dice.pick([1, 2] as const);
    const { bytes } = someHeader(dice, dice.chance(0.9) ? transport : 1);
    return { transport, bytes: dice.chance(0.5) ? bytes : spoiled(dice, bytes) };
  },
  open: () => new HeaderScene(),
};

class HeaderScene implements Scene<HeaderInput> {
  readonly seen: Record<string, number> = {};

  /** What it says must be said as soon as it can be known, and never change when more comes. */
  feed({ bytes, transport }: HeaderInput): void {
    let last: Reading = 'incomplete';
    // Nobody keeps more of it.
    const most = Math.min(bytes.length, 600);
    for (let length = 0; length <= most; length++) {
      const reading = this.#read(bytes, length, transport);
      expectEqual(
        `after ${length} bytes`,
        spelled(reading),
        spelled(readReference(bytes.subarray(0, length), transport)),
      );
      if (last !== 'incomplete') expectEqual(`with ${length} bytes`, spelled(reading), spelled(last));
      last = reading;
    }
    const kind = typeof last === 'string' ? last : last.length > 1 ? 'names somebody' : 'names nobody';
    this.seen[kind] = (this.seen[kind] ?? 0) + 1;
  }

  inspect(): void {}
  close(): void {}

  #read(bytes: Uint8Array, length: number, transport: 1 | 2): Reading {
    const result = readProxyHeader(bytes, length, transport);
    if (typeof result === 'string') return result;
    return result.source === undefined ? [result.length] : [result.length, result.source.ip, result.source.port];
  }
}

/** Addresses may be spelled in many ways. */
function spelled(reading: Reading): string {
  if (typeof reading === 'string') return reading;
  const [length, ip, port] = reading;
  if (ip === undefined) return `${length} bytes`;
  const address = parseIp(ip);
  const digits = address === undefined ? ip : hex(address);
  return `${length} bytes, ${digits.replace(/^0{20}ffff/, '')} ${port}`;
}

export const proxyUdpTarget: Target<UdpSettings, UdpInput> = {
  ...udpTarget,
  name: 'proxy-udp',
  open: (settings) => new UdpScene(settings, direct, (kernel, seed) => new ProxyWay(kernel, seed)),
};

export const proxySocketTarget: Target<WorldSettings, SocketInput> = {
  name: 'proxy-sockets',
  episode: 200,
  settings: worldSettings,
  inputs: (settings, dice) => {
    const source = socketInputs(settings, dice);
    return () => headed(source(), dice);
  },
  open: (settings) => SocketScene.open(settings, { proxyProtocol: true }),
};

function headed(input: SocketInput, dice: Dice): SocketInput {
  const header = someHeader(dice, 1);
  const bytes = Buffer.from(header.bytes);
  // A header that is not complete when nothing more comes.
  const isCut = dice.chance(0.05);
  const text = (isCut ? bytes.subarray(0, dice.below(bytes.length)) : bytes).toString('latin1');
  const proxy = isCut
    ? { header: text, kind: 'cut', source: 'refused' as const }
    : { header: text, kind: header.kind, source: header.source };
  const isOver = proxy.source === 'refused';
  const cuts = Array.from({ length: dice.below(4) }, () => dice.below(text.length + 1));
  return {
    ...input,
    proxy,
    cuts: [...cuts, ...input.cuts.map((cut) => cut + text.length)].toSorted((one, other) => one - other),
    ...(isOver && { requests: isCut ? [] : input.requests, rest: '' }),
  };
}
