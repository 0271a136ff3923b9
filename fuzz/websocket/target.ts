// Messages of WebTorrent peers, without sockets.
import type { Target } from '../target.ts';
import { worldSettings } from '../world.ts';
import { type WebSocketInput, webSocketInputs } from './inputs.ts';
import { WebSocketScene, type WebSocketSettings, unreached } from './scene.ts';

export const webSocketTarget: Target<WebSocketSettings, WebSocketInput> = {
  name: 'websocket',
  episode: 3000,
  settings: (dice) => ({
    ...worldSettings(dice),
    maxTorrents: dice.pick([2, 500, 500]),
    maxMembers: dice.pick([9, unreached, unreached]),
    maxOffers: dice.pick([0, 4, unreached, unreached]),
    maxPendingOffers: dice.pick([2, unreached, unreached, unreached]),
    announcesPerInterval: dice.pick([1, 15]),
  }),
  inputs: webSocketInputs,
  open: (settings) => new WebSocketScene(settings),
};
