// @roamhq/wrtc with the exports that simple-peer takes from webrtc-polyfill.
import binding from '@roamhq/wrtc';

export const { RTCPeerConnection, RTCSessionDescription, RTCIceCandidate } = binding;
