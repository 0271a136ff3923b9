import { describe, expect, test } from 'vitest';
import { type Connection, type Host, type LinkOptions, Network, randomStream, Scheduler } from '../src/index.ts';
import type { HostListener, NetworkOptions } from '../src/index.ts';

/** Writes down all that a host is told, and can answer. */
class Notes implements HostListener {
  readonly lines: string[] = [];
  readonly connections: Connection[] = [];
  readonly bytes: number[] = [];
  onAccepted: (connection: Connection) => void = () => {};
  onConnected: (connection: Connection) => void = () => {};
  readonly #scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  accepted(connection: Connection): void {
    this.#note('accepted');
    this.connections.push(connection);
    this.onAccepted(connection);
  }

  connected(connection: Connection): void {
    this.#note('connected');
    this.connections.push(connection);
    this.onConnected(connection);
  }

  refused(_remote: unknown, reason: string): void {
    this.#note(`refused: ${reason}`);
  }

  received(_connection: Connection, bytes: Uint8Array): void {
    this.#note(`received ${bytes.length}`);
    for (const byte of bytes) this.bytes.push(byte);
  }

  sent(_connection: Connection, payload: number): void {
    this.#note(`sent ${payload}`);
  }

  closed(_connection: Connection, reason: string): void {
    this.#note(`closed: ${reason}`);
  }

  #note(what: string): void {
    this.lines.push(`${this.#scheduler.nowMs} ${what}`);
  }
}

interface Party {
  readonly host: Host;
  readonly notes: Notes;
}

class Bench {
  readonly scheduler: Scheduler = new Scheduler();
  readonly network: Network;
  #hosts = 0;

  constructor(options: NetworkOptions = {}) {
    this.network = new Network(this.scheduler, randomStream(1, 'network'), options);
  }

  party(link: LinkOptions = {}): Party {
    const fast = { latencyMs: 10, uplinkBytesPerSecond: 100_000, downlinkBytesPerSecond: Infinity };
    const host = this.network.addHost({ ip: `10.0.0.${++this.#hosts}`, port: 6881 }, { ...fast, ...link });
    const notes = new Notes(this.scheduler);
    host.listen(notes);
    return { host, notes };
  }

  run(untilMs = Infinity): void {
    while (this.scheduler.nextUs <= untilMs * 1000 && this.scheduler.step());
  }
}

const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at % 251);

describe('network', () => {
  test('a dial reaches the listener after one way and the dialler after the way back', () => {
    const bench = new Bench();
    const [one, other] = [bench.party({ latencyMs: 10 }), bench.party({ latencyMs: 30 })];
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(other.notes.lines).toEqual(['40 accepted']);
    expect(one.notes.lines).toEqual(['80 connected']);
    expect(other.notes.connections[0]!.remote).toEqual({ ip: '10.0.0.1', port: 49152 });
    expect(other.notes.connections[0]!.incoming).toBe(true);
    expect(one.notes.connections[0]!.remote).toEqual(other.host.endpoint);
    expect(bench.network.connections).toHaveLength(1);
  });

  test('a dial is refused by a host that does not listen, and times out where nobody is', () => {
    const bench = new Bench({ dialTimeoutMs: 3000 });
    const [one, other] = [bench.party(), bench.party()];
    other.host.listen(undefined);
    one.host.dial(other.host.endpoint);
    one.host.dial({ ip: '10.9.9.9', port: 1 });
    bench.run();
    expect(one.notes.lines).toEqual(['40 refused: refused', '3000 refused: timed out']);
  });

  test('bytes arrive in order, in segments, after uplink time and latency; sent is told when they left', () => {
    const bench = new Bench({ segmentBytes: 400 });
    const [one, other] = [bench.party(), bench.party()];
    one.notes.onConnected = (connection) => {
      connection.write(counted(300).subarray(0, 300), 300);
      connection.write(counted(700).subarray(300), 400);
    };
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(one.notes.lines).toEqual(['40 connected', '43 sent 300', '47 sent 400']);
    expect(other.notes.lines).toEqual(['20 accepted', '63 received 300', '67 received 400']);
    expect(other.notes.bytes).toEqual([...counted(700)]);
  });

  test('what the listener says at once arrives no earlier than the connection itself', () => {
    const bench = new Bench({ segmentBytes: 16_384 });
    const [one, other] = [bench.party(), bench.party({ uplinkBytesPerSecond: Infinity })];
    other.notes.onAccepted = (connection) => connection.write(counted(10));
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(one.notes.lines).toEqual(['40 connected', '40 received 10']);
  });

  test('an uplink is shared fairly by the connections that have something to send', () => {
    const bench = new Bench();
    const origin = bench.party({ uplinkBytesPerSecond: 100_000 });
    const sinks = [bench.party(), bench.party(), bench.party(), bench.party()];
    origin.notes.onConnected = (connection) => connection.write(new Uint8Array(500_000));
    for (const sink of sinks) origin.host.dial(sink.host.endpoint);
    bench.run(8060);
    for (const sink of sinks) expect(Math.abs(sink.notes.bytes.length - 200_000)).toBeLessThanOrEqual(16_384);
    expect(origin.host.uplink.busyUs).toBeGreaterThan(7_900_000);
  });

  test('a downlink is shared fairly, and what it leaves free goes to the other receivers', () => {
    const bench = new Bench();
    const sources = [bench.party({ uplinkBytesPerSecond: 50_000 }), bench.party({ uplinkBytesPerSecond: 50_000 })];
    const [narrow, wide] = [bench.party({ downlinkBytesPerSecond: 20_000 }), bench.party()];
    for (const source of sources) {
      source.notes.onConnected = (connection) => connection.write(new Uint8Array(2_000_000));
      source.host.dial(narrow.host.endpoint);
      source.host.dial(wide.host.endpoint);
    }
    bench.run(20_000);
    // Max-min fair: 10 000 each into the narrow link, the remaining 40 000 of each uplink into the wide one; less what
    // waits before the narrow link, a window for each.
    expect(narrow.notes.bytes.length / 20).toBeGreaterThan(18_500);
    expect(narrow.notes.bytes.length / 20).toBeLessThan(20_001);
    expect(wide.notes.bytes.length / 20).toBeGreaterThan(80_000 - (2 * 65_536) / 20 - 1000);
  });

  test('a slow receiver holds the sender back: no more is sent than the window has room for', () => {
    const bench = new Bench({ windowBytes: 65_536 });
    const [one, other] = [
      bench.party({ uplinkBytesPerSecond: Infinity }),
      bench.party({ downlinkBytesPerSecond: 1000 }),
    ];
    one.notes.onConnected = (connection) => {
      for (let block = 0; block < 20; block++) connection.write(new Uint8Array(16_384), 16_384);
    };
    one.host.dial(other.host.endpoint);
    bench.run(1000);
    expect(one.notes.lines.filter((line) => line.endsWith('sent 16384'))).toHaveLength(4);
  });

  test('closing drops what has not left, and the other end hears of it behind what has', () => {
    const bench = new Bench({ segmentBytes: 1000 });
    const [one, other] = [bench.party(), bench.party()];
    one.notes.onConnected = (connection) => {
      connection.write(new Uint8Array(5000), 5000);
      bench.scheduler.after(15_000, () => connection.close());
    };
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(other.notes.lines).toEqual([
      '20 accepted',
      '70 received 1000',
      '80 received 1000',
      '80 closed: closed by the other end',
    ]);
    expect(one.notes.lines).toEqual(['40 connected']);
    expect(bench.network.connections).toEqual([]);
  });

  test('a lost connection ends for both at once, and nothing on its way arrives', () => {
    const bench = new Bench();
    const [one, other] = [bench.party(), bench.party()];
    one.notes.onConnected = (connection) => {
      connection.write(new Uint8Array(1000), 1000);
      bench.scheduler.after(15_000, () => bench.network.connections[0]!.lose());
    };
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(other.notes.lines).toEqual(['20 accepted', '55 closed: connection lost']);
    expect(one.notes.lines).toEqual(['40 connected', '50 sent 1000', '55 closed: connection lost']);
  });

  test('a host cut with a reset is noticed at once, one cut in silence never', () => {
    for (const how of ['reset', 'silence'] as const) {
      const bench = new Bench({ dialTimeoutMs: 5000 });
      const [one, other] = [bench.party(), bench.party()];
      one.notes.onConnected = () => {
        other.host.listen(undefined);
        other.host.cut(how);
        one.host.dial(other.host.endpoint);
      };
      one.host.dial(other.host.endpoint);
      bench.run();
      expect(one.notes.lines.slice(1)).toEqual(
        how === 'reset' ? ['60 closed: closed by the other end', '80 refused: refused'] : ['5060 refused: timed out'],
      );
      expect(other.notes.lines).toEqual(['20 accepted']);
    }
  });

  test('a dialler that died before its dial came back hears nothing, and the other end hears of its end', () => {
    const bench = new Bench();
    const [one, other] = [bench.party(), bench.party()];
    one.host.dial(other.host.endpoint);
    bench.scheduler.at(30_000, () => one.host.cut('reset'));
    bench.run();
    expect(one.notes.lines).toEqual([]);
    expect(other.notes.lines).toEqual(['20 accepted', '60 closed: closed by the other end']);
  });

  test('jitter delays segments and never reorders them', () => {
    const bench = new Bench({ segmentBytes: 100 });
    const [one, other] = [bench.party({ jitterMs: 50 }), bench.party()];
    one.notes.onConnected = (connection) => connection.write(counted(5000));
    one.host.dial(other.host.endpoint);
    bench.run();
    expect(other.notes.bytes).toEqual([...counted(5000)]);
    const instants = new Set(other.notes.lines.map((line) => line.split(' ')[0]));
    expect(instants.size).toBeGreaterThan(5);
  });

  test('an address can be used once, and a link must carry something', () => {
    const bench = new Bench();
    const { host } = bench.party();
    expect(() => bench.network.addHost(host.endpoint)).toThrow(RangeError);
    expect(() => bench.party({ uplinkBytesPerSecond: 0 })).toThrow(RangeError);
  });
});
