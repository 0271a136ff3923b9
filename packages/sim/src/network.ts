// Addresses, dials and the life of connections. Decides who reaches whom and what each end is told, and when;
// must not know BitTorrent: what flows is bytes. Level: flows over access links with latency, no packets, because
// loss and round-trip time change swarm results by less than 15 % while packets cost ten times the events.
import { type Endpoint, formatEndpoint } from '@shoal/tracker-protocol';
import { Connection } from './connection.ts';
import { type Host, NetworkHost } from './host.ts';
import { type LinkOptions, type NetworkOptions, linkDefaults, networkDefaults } from './options.ts';
import { Pipe } from './pipe.ts';
import type { RandomStream } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: RandomStream;
  readonly #options: Required<NetworkOptions>;
  readonly #hosts = new Map<string, NetworkHost>();
  #lastId = 0;

  constructor(scheduler: Scheduler, random: RandomStream, options: NetworkOptions = {}) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#options = { ...networkDefaults, ...options };
  }

  /** @throws RangeError when the address is taken or the link is impossible. */
  addHost(endpoint: Endpoint, link: LinkOptions = {}): Host {
    const address = addressOf(endpoint);
    if (this.#hosts.has(address)) throw new RangeError(`${address} is taken`);
    const host = new NetworkHost({ endpoint, link: { ...linkDefaults, ...link } }, this.#scheduler, (from, to) =>
      this.#dial(from, to),
    );
    this.#hosts.set(address, host);
    return host;
  }

  /** Live connections, each once, oldest first. */
  get connections(): Connection[] {
    const dialled: Connection[] = [];
    for (const host of this.#hosts.values()) for (const end of host.connections) if (!end.incoming) dialled.push(end);
    return dialled.toSorted((one, other) => one.id - other.id);
  }

  /** One-way time between two hosts, with jitter. */
  #latencyUs(from: NetworkHost, to: NetworkHost): number {
    const jitterMs = from.link.jitterMs + to.link.jitterMs;
    const extraMs = jitterMs > 0 ? this.#random.fraction() * jitterMs : 0;
    return Math.ceil((from.link.latencyMs + to.link.latencyMs + extraMs) * 1000);
  }

  #dial(from: NetworkHost, remote: Endpoint): void {
    const life = from.life;
    const to = this.#hosts.get(addressOf(remote));
    const refuse = (reason: string, delayUs: number): void => {
      this.#scheduler.after(delayUs, () => {
        if (from.life === life) from.listener?.refused(remote, reason);
      });
    };
    // An address that nobody ever had swallows packets, and so does a network that is down; a host that does not listen answers.
    if (to === undefined || !from.online) {
      refuse('timed out', this.#options.dialTimeoutMs * 1000);
      return;
    }
    this.#scheduler.after(this.#latencyUs(from, to), () => {
      if (to.silent || !to.online || !from.online) refuse('timed out', this.#options.dialTimeoutMs * 1000);
      else if (to.listener === undefined || to === from) refuse('refused', this.#latencyUs(to, from));
      else if (from.life === life) this.#connect(from, to, life);
    });
  }

  #connect(from: NetworkHost, to: NetworkHost, life: number): void {
    // The listener sees the dialler's address with a port of the moment, as on a real socket (RFC 6335, dynamic ports).
    const incoming: Endpoint = { ip: from.endpoint.ip, port: 49152 + (this.#lastId % 16384) };
    const dialled = new Connection({ id: ++this.#lastId, remote: to.endpoint, incoming: false, host: from });
    const accepted = new Connection({ id: ++this.#lastId, remote: incoming, incoming: true, host: to });
    const backUs = this.#latencyUs(to, from);
    const knownUs = this.#scheduler.nowUs + backUs;
    const back = this.#pipe(to, from, dialled, accepted);
    back.notBefore(knownUs);
    dialled.join(accepted, this.#pipe(from, to, accepted, dialled));
    accepted.join(dialled, back);
    to.accept(accepted);
    this.#scheduler.at(knownUs, () => {
      if (from.life === life && from.online && !dialled.ended) from.connect(dialled);
      // The dialler died meanwhile: its machine answers with a reset.
      else dialled.close();
    });
  }

  #pipe(from: NetworkHost, to: NetworkHost, receiver: Connection, sender: Connection): Pipe {
    const options = {
      scheduler: this.#scheduler,
      uplink: from.uplink,
      downlink: to.downlink,
      latencyUs: () => this.#latencyUs(from, to),
      segmentBytes: this.#options.segmentBytes,
      windowBytes: this.#options.windowBytes,
    };
    return new Pipe(options, {
      sent: (payload) => from.sent(sender, payload),
      received: (bytes) => to.received(receiver, bytes),
      finished: () => receiver.end('closed by the other end'),
    });
  }
}

/** The text form under which a network knows an address. */
export function addressOf(endpoint: Endpoint): string {
  return formatEndpoint(endpoint);
}
