// The WebSocket side of a tracker, through ws, on the HTTP server's port: who may connect. What is answered is decided
// in websocket/. The protocol is WebTorrent's, written down in tracker-protocol's README; RFC 6455.
import type { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Tracker } from '@shoal/tracker';
import type { AnnounceRequest } from '@shoal/tracker-protocol';
import { WebSocketServer } from 'ws';
import type { Closing } from './restart/listening.ts';
import type { SwarmService } from './swarm-service.ts';
import type { WebSocketTraffic } from './traffic.ts';
import { type AnnounceHeard, SignalAnswerer } from './websocket/answerer.ts';
import { SignalConnections } from './websocket/connections.ts';
import { Gate, refuse } from './websocket/gate.ts';

export interface WebSocketOptions {
  /** Origins of web pages that may connect, such as `https://example.org`. Default `all`. Programs send none and always may. */
  readonly allowedOrigins?: readonly string[] | 'all';
  /** WebSockets at once; further ones get status 503. Default 20,000, about 150 MB. */
  readonly maxConnections?: number;
  /** WebSockets of one address, of IPv6 those of a /64 together; further ones get status 429. Default 256. */
  readonly maxConnectionsPerAddress?: number;
  /** Bytes of one message. Default 131,072: an announce with ten offers has 10,000 to 60,000. */
  readonly maxMessageBytes?: number;
  /** Messages of one connection per second, over 20 seconds; who sends more is closed. Default 50. */
  readonly messagesPerSecond?: number;
  /** Bytes that may wait for a slow reader before it is closed. Default 1 MiB. */
  readonly maxBufferedBytes?: number;
  /** Between two pings of a connection, in ms; it is closed after two intervals without a byte from it. Default 30,000. */
  readonly pingIntervalMs?: number;
  /** WebTorrent peers meet others only when they announce: so often within an interval. Default 15, which makes 120 s of 1800. */
  readonly announcesPerInterval?: number;
  /** Who counts the peers told in answers; undefined is the tracker itself. Default: who answers over HTTP. */
  readonly service?: SwarmService | undefined;
  /** Hears of every announce that is answered, for who measures. Default: nobody. */
  readonly onAnnounce?: AnnounceHeard;
}

/** What WebSockets share with the HTTP server that they come through. */
export interface WebSocketSurroundings {
  readonly tracker: Tracker;
  /** Who counts; undefined for a tracker that has its peers in memory. */
  readonly service: SwarmService | undefined;
  /** Finds the address that a request speaks for, 4 or 16 bytes. */
  readonly findSource: (request: IncomingMessage) => (announce: AnnounceRequest) => Uint8Array | undefined;
  readonly clock: () => number;
  readonly traffic: WebSocketTraffic;
  /** Hears of failures of our own. */
  readonly onError: ((error: unknown) => void) | undefined;
  /** Whether another process takes over. */
  readonly closing: Closing;
}

/** WebSockets that are served; disposing ends them. */
export interface WebSockets extends Disposable {
  /** Lets pages of these origins connect from now on. Those that are connected stay. */
  allow(origins: readonly string[] | 'all'): void;
}

/** The options that hold when one is left out. */
export const webSocketDefaults: Required<Omit<WebSocketOptions, 'allowedOrigins' | 'service' | 'onAnnounce'>> = {
  maxConnections: 20_000,
  maxConnectionsPerAddress: 256,
  maxMessageBytes: 131_072,
  messagesPerSecond: 50,
  maxBufferedBytes: 1024 * 1024,
  pingIntervalMs: 30_000,
  announcesPerInterval: 15,
};

/**
 * Serves WebSockets on a server of node:http or node:https. Disposing ends them; do that before the server is closed.
 * @throws TypeError when the tracker has no `signalling`
 */
export function serveWebSocket(
  server: EventEmitter,
  options: WebSocketOptions,
  around: WebSocketSurroundings,
): WebSockets {
  const { tracker, clock, traffic, findSource, onError } = around;
  const service = 'service' in options ? options.service : around.service;
  const swarms = tracker.signalling;
  const shared = service?.signalling;
  if (swarms === undefined) throw new TypeError('WebSockets need a tracker with signalling');
  const settings = { ...webSocketDefaults, ...options };
  const gate = new Gate(settings, options.allowedOrigins ?? 'all');
  const connections = new SignalConnections(settings, clock, traffic, {
    receive(from, text, now) {
      try {
        answerer.receive(from, text, now);
      } catch (error) {
        // Ours, not theirs: the connection goes on.
        onError?.(error);
      }
    },
    closed(from) {
      gate.leave(from.address);
      shared?.close(from.number);
      swarms.close(from.number);
    },
  });
  const { announcesPerInterval } = settings;
  const { onAnnounce } = options;
  const heard = { traffic, onAnnounce, sender: connections };
  const answerer = new SignalAnswerer({ tracker, swarms, service, announcesPerInterval, ...heard });
  const opened = shared?.open({ send: (number, text) => connections.send(number, text), traffic });
  const acceptor = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Deflate takes 300 KB a connection, and session descriptions pass through once.
    perMessageDeflate: false,
    maxPayload: settings.maxMessageBytes,
  });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    // An error of a socket that ws does not have yet would end the process if nobody heard of it.
    socket.on('error', ignore);
    const address = findSource(request)(anybody);
    const status = gate.refusal(request, address);
    if (status !== undefined || address === undefined) {
      traffic.refused++;
      refuse(socket, status ?? 400);
      return;
    }
    const port = request.socket.remotePort ?? 0;
    acceptor.handleUpgrade(request, socket, head, (webSocket) => {
      socket.off('error', ignore);
      gate.enter(address);
      connections.add(webSocket, request.socket, address, port);
    });
  };
  server.on('upgrade', upgrade);
  return {
    allow: (origins) => gate.allow(origins),
    [Symbol.dispose](): void {
      server.off('upgrade', upgrade);
      opened?.[Symbol.dispose]();
      connections.close(around.closing.now);
      acceptor.close();
    },
  };
}

function ignore(): void {}

/** An address belongs to a connection, and no message of it claims another. */
const anybody: AnnounceRequest = {
  infoHash: new Uint8Array(20),
  peerId: new Uint8Array(20),
  port: 0,
  uploaded: 0,
  downloaded: 0,
  left: undefined,
  event: 'none',
};
