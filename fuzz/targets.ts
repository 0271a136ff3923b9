// All targets, and how much of a run each gets.
import { httpTarget } from './http/target.ts';
import { pairTarget } from './pairs/target.ts';
import { policyTarget } from './policy/target.ts';
import { proxyHeaderTarget, proxySocketTarget, proxyUdpTarget } from './proxy/target.ts';
import { socketTarget } from './sockets/target.ts';
import { redisTarget } from './redis/target.ts';
import type { Target } from './target.ts';
import { udpTarget } from './udp/target.ts';
import { webSocketTarget } from './websocket/target.ts';
import { httpRingsTarget, threadsTarget, udpRingsTarget } from './workers/target.ts';

export interface TargetShare {
  readonly target: Target<unknown, unknown>;
  /** Of inputs or of time, beside the others. */
  readonly share: number;
}

export const targets: readonly TargetShare[] = [
  { target: erased(udpTarget), share: 5 },
  { target: erased(httpTarget), share: 4 },
  { target: erased(webSocketTarget), share: 3 },
  { target: erased(pairTarget), share: 2 },
  { target: erased(policyTarget), share: 1 },
  { target: erased(proxyHeaderTarget), share: 0.5 },
  { target: erased(proxyUdpTarget), share: 0.5 },
  { target: erased(udpRingsTarget), share: 0.5 },
  { target: erased(httpRingsTarget), share: 0.5 },
  { target: erased(redisTarget), share: 0.5 },
  { target: erased(socketTarget), share: 0.3 },
  { target: erased(proxySocketTarget), share: 0.2 },
  { target: erased(threadsTarget), share: 0.3 },
];

/** What a target makes only ever comes back to itself, so whoever stands between need not know what it is. */
function erased<Settings, Input>(target: Target<Settings, Input>): Target<unknown, unknown> {
  return target as unknown as Target<unknown, unknown>;
}
