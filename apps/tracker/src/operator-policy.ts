// The policy of a running tracker: the operator's options and lists as one value, put in force anew whenever either
// changes; and a line in the log for every refusal, where somebody wants to read them.
import { type AnnouncePolicy, type PolicySettings, StandingPolicy } from '@shoal/tracker';
import { infoHashHex } from '@shoal/tracker-protocol';
import type { ServeOptions } from './configuration/settings.ts';
import { ConfigurationError } from './errors.ts';
import { type OperatorLists, stated } from './lists/operator-lists.ts';
import type { Log } from './log.ts';

/** The policy to start with. @throws ConfigurationError when options do not go together */
export function policyOf(options: ServeOptions, lists: OperatorLists): StandingPolicy {
  return checked(() => new StandingPolicy(policySettings(options, lists), { random: Math.random }));
}

/** Puts options and lists in force. @throws ConfigurationError when options do not go together; then nothing changes */
export function enforce(policy: StandingPolicy, options: ServeOptions, lists: OperatorLists): void {
  checked(() => policy.replace(policySettings(options, lists)));
}

function checked<Result>(settle: () => Result): Result {
  try {
    return settle();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ConfigurationError(cause.message, { cause });
  }
}

/** What policy makes of options and lists. */
function policySettings(options: ServeOptions, lists: OperatorLists): PolicySettings {
  const { interval, jitter, numwantDefault, numwantLimit, announceRate, announceBurst } = options;
  const optional = {
    minInterval: options.minInterval,
    maxInterval: options.maxInterval,
    targetAnnouncesPerSecond: options.targetRate,
    announceRate: announceRate === undefined ? undefined : { perMinute: announceRate, burst: announceBurst },
  };
  return {
    interval,
    jitter: jitter / 100,
    numWantDefault: numwantDefault,
    numWantLimit: numwantLimit,
    privateAddresses: options.privateAddresses,
    ...stated(optional),
    ...lists.rules,
  };
}

/** `policy`, whose refusals are logged at level debug. */
export function loggedPolicy(policy: StandingPolicy, log: Log): AnnouncePolicy {
  return {
    refusal(request, address, now) {
      const refusal = policy.refusal(request, address, now);
      if (refusal !== undefined && log.isDebugging) {
        const torrent = infoHashHex(request.infoHash);
        log.debug('refused', stated({ reason: refusal.code, torrent, address: log.shown(address) }));
      }
      return refusal;
    },
    listing: (address) => policy.listing(address),
    serves: (infoHash) => policy.serves(infoHash),
    interval: (now) => policy.interval(now),
    wanted: (request, now) => policy.wanted(request, now),
    get longestInterval() {
      return policy.longestInterval;
    },
    get minInterval() {
      return policy.minInterval;
    },
  };
}
