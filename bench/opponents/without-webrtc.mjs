// Preload for the npm peers: their WebRTC binding fetches a binary from the network at install time, and without it even
// their TCP and HTTP parts do not load. It is replaced by an empty module; nothing measured here uses WebRTC.
import { registerHooks } from 'node:module';

const empty =
  'data:text/javascript,export default {}; export const RTCPeerConnection = undefined, RTCSessionDescription = undefined, RTCIceCandidate = undefined;';
registerHooks({
  resolve(specifier, context, next) {
    const absent = specifier === 'webrtc-polyfill' || specifier.startsWith('node-datachannel');
    return absent ? { url: empty, format: 'module', shortCircuit: true } : next(specifier, context);
  },
});
