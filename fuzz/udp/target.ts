// UDP datagrams, without sockets. BEP 15, 41.
import type { Target } from '../target.ts';
import { worldSettings } from '../world.ts';
import { type UdpInput, udpInputs } from './inputs.ts';
import { UdpScene, type UdpSettings } from './scene.ts';

export const udpTarget: Target<UdpSettings, UdpInput> = {
  name: 'udp',
  episode: 5000,
  settings: (dice) => ({
    ...worldSettings(dice),
    errorsPerSecond: dice.pick([0, 3, 1_000_000]),
    connectionIds: dice.pick(['strict', 'strict', 'lenient', 'off']),
    busyKernel: dice.chance(0.3),
  }),
  inputs: udpInputs,
  open: (settings) => new UdpScene(settings),
};
