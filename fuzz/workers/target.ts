// Datagrams and queries answered by threads that do not own the swarms: every answer must be the one that there is without
// threads. Once through the rings alone, once through real threads and sockets. docs/decisions/0012.
import type { HttpInput } from '../http/inputs.ts';
import { HttpScene, type HttpSettings, httpTarget } from '../http/target.ts';
import { SocketScene } from '../sockets/scene.ts';
import { type SocketInput, socketInputs } from '../sockets/inputs.ts';
import type { Target } from '../target.ts';
import type { UdpInput } from '../udp/inputs.ts';
import { UdpScene, type UdpSettings } from '../udp/scene.ts';
import { udpTarget } from '../udp/target.ts';
import { type WorldSettings, worldSettings } from '../world.ts';
import { throughRings } from './rings.ts';

export const udpRingsTarget: Target<UdpSettings, UdpInput> = {
  ...udpTarget,
  name: 'udp-rings',
  open: (settings) => new UdpScene(settings, throughRings),
};

export const httpRingsTarget: Target<HttpSettings, HttpInput> = {
  ...httpTarget,
  name: 'http-rings',
  open: (settings) => new HttpScene(settings, throughRings),
};

/** Threads share ports on Linux; elsewhere one thread does everything. */
const workers = process.platform === 'linux' ? 2 : 1;

export const threadsTarget: Target<WorldSettings, SocketInput> = {
  name: 'threads',
  // Nobody expires in that time: a server sees to that by itself, and no model would know when.
  episode: 200,
  settings: worldSettings,
  inputs: socketInputs,
  open: (settings) => SocketScene.open(settings, { workers }),
};
