// A service whose announcers are looked at: `warn` tells who cannot be reached, `require` keeps him waiting for the
// first look and refuses him after it. An announcer whose address is not proven is never looked at.
import type { Refusal, Tracker } from '@shoal/tracker';
import { type AnnounceRequest, isFailure } from '@shoal/tracker-protocol';
import type { AnnounceDone, PeersWanted, SwarmService } from '../swarm-service.ts';
import type { NatChecker } from './nat-checker.ts';
import type { Verdict } from './verdicts.ts';

export interface CheckedServiceOptions {
  /** Who answers. */
  readonly service: SwarmService;
  readonly checker: NatChecker;
  /** Counts the refusals. */
  readonly tracker: Pick<Tracker, 'refuse'>;
  /** Nobody is looked at for a torrent that is not served. Default: all are. */
  readonly serves?: (infoHash: Uint8Array) => boolean;
  /**
   * Whether announcers have proven their addresses: over TCP they have, unless `ip=` is believed; over UDP by strict
   * connection ids. Without it nobody is looked at, and what is not known to be unreachable is listed. Default true.
   */
  readonly addressesProven?: boolean;
}

/** One announce with everything to go on with it. */
interface Announce {
  readonly request: AnnounceRequest;
  readonly address: Uint8Array;
  readonly wanted: PeersWanted;
  readonly now: number;
  readonly done: AnnounceDone;
}

/** Puts the check before a service. */
export function checkedService(options: CheckedServiceOptions): SwarmService {
  const { service, checker } = options;
  return {
    announce(request, address, wanted, now, done): void {
      // A goodbye is always welcome: clients repeat what is refused.
      if (request.event === 'stopped' || !checker.concerns(address)) {
        service.announce(request, address, wanted, now, done);
        return;
      }
      const announce = { request, address, wanted, now, done };
      if (checker.mode === 'require') insist(options, announce);
      else warn(options, announce);
    },
    scrape: (infoHashes, now, done) => service.scrape(infoHashes, now, done),
  };
}

function warn(options: CheckedServiceOptions, announce: Announce): void {
  const { service, checker } = options;
  const { request, address, wanted, now, done } = announce;
  const verdict = checker.verdict(address, request.port, request.infoHash, now);
  if (verdict.isDue && mayLook(options, request)) checker.look(address, request.port, request.infoHash, now);
  const warning = explain(verdict.state, request.port);
  if (warning === undefined) {
    service.announce(request, address, wanted, now, done);
    return;
  }
  service.announce(request, address, wanted, now, (reply) => {
    done(isFailure(reply) || reply.warning !== undefined ? reply : { ...reply, warning });
  });
}

function insist(options: CheckedServiceOptions, announce: Announce): void {
  const { checker } = options;
  const { request, address, now } = announce;
  const verdict = checker.verdict(address, request.port, request.infoHash, now);
  if (verdict.isDue && mayLook(options, request)) look(options, announce, verdict);
  else decide(options, announce, verdict.state);
}

/** Looks; who was reachable when last looked at does not wait for it. */
function look(options: CheckedServiceOptions, announce: Announce, { state }: Verdict): void {
  const { checker } = options;
  const { request, address, now } = announce;
  if (state === 'reachable') {
    checker.look(address, request.port, request.infoHash, now);
    decide(options, announce, state);
    return;
  }
  const kept = keepable(announce);
  const isLooking = checker.look(address, request.port, request.infoHash, now, (result) =>
    // Where we could not look nobody is to blame.
    decide(options, kept, result === 'failed' ? 'unknown' : result),
  );
  if (isLooking) return;
  if (state === 'unknown') refuse(options, announce, busy);
  else decide(options, announce, state);
}

function decide(options: CheckedServiceOptions, announce: Announce, state: Verdict['state']): void {
  const { request, address, wanted, now, done } = announce;
  const message = explain(state, request.port);
  if (message === undefined) options.service.announce(request, address, wanted, now, done);
  else refuse(options, announce, { code: 'not-connectable', message, retryIn: 5, interval: 300 });
}

/** Refuses, and takes the announcer off the list if he was on it. */
function refuse({ service, tracker }: CheckedServiceOptions, announce: Announce, refusal: Refusal): void {
  const { request, address, wanted, now, done } = announce;
  service.announce({ ...request, event: 'stopped' }, address, wanted, now, (reply) => {
    done(isFailure(reply) ? reply : tracker.refuse(refusal, now));
  });
}

const busy: Refusal = {
  code: 'not-connectable',
  message: 'too many wait to be checked for reachability; try again in a minute',
  retryIn: 1,
  interval: 60,
};

function explain(state: Verdict['state'], port: number): string | undefined {
  if (state === 'no-connection') return `nobody can connect to your port ${port}: open it in router and firewall`;
  if (state === 'no-handshake') return `your port ${port} does not answer a plain BitTorrent handshake`;
  return undefined;
}

function mayLook(
  { serves, addressesProven = true }: CheckedServiceOptions,
  { infoHash, port }: AnnounceRequest,
): boolean {
  return addressesProven && port !== 0 && (serves === undefined || serves(infoHash));
}

/** A copy that outlives the call: a request's bytes are its caller's. */
function keepable({ request, address, ...others }: Announce): Announce {
  const { infoHash, peerId } = request;
  const copy = { ...request, infoHash: new Uint8Array(infoHash), peerId: new Uint8Array(peerId) };
  return { ...others, request: copy, address: new Uint8Array(address) };
}
