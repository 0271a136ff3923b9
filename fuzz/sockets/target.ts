// Whole HTTP connections, over real sockets: framing, order, pipelining, everything in front of a query. RFC 9112.
import type { Target } from '../target.ts';
import { type WorldSettings, worldSettings } from '../world.ts';
import { type SocketInput, socketInputs } from './inputs.ts';
import { SocketScene } from './scene.ts';

export const socketTarget: Target<WorldSettings, SocketInput> = {
  name: 'sockets',
  episode: 200,
  settings: worldSettings,
  inputs: socketInputs,
  open: (settings) => SocketScene.open(settings),
};
