// Preload for npm webtorrent and bittorrent-tracker in Node: the WebRTC binding that they name fetches its binary from
// the network while it is installed, which is not allowed here. @roamhq/wrtc has its binaries in npm.
import { registerHooks } from 'node:module';

const replacement = new URL('webrtc-binding.mjs', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'webrtc-polyfill'
      ? { url: replacement, format: 'module', shortCircuit: true }
      : next(specifier, context),
});
