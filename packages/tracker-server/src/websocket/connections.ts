// The WebSockets of a tracker: their limits, their pings, their end. What is answered is decided in answerer.ts.
// A slow reader, a silent one and a flooding one are ended; none of them costs the others anything. RFC 6455.
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { WebSocketTraffic } from '../traffic.ts';
import type { SignalSender, SignalSource } from './answerer.ts';
import { textFrames } from './text-frames.ts';

export interface ConnectionLimits {
  readonly maxBufferedBytes: number;
  readonly messagesPerSecond: number;
  readonly pingIntervalMs: number;
}

interface Connection extends SignalSource {
  readonly socket: WebSocket;
  /** What the WebSocket is spoken over. */
  readonly stream: Duplex;
  /** Messages of this turn of the event loop, not written yet. */
  texts: string[];
  /** When it last said anything, a pong included; ms. */
  heard: number;
  /** Messages it may still send at `credited` (ms). */
  credit: number;
  credited: number;
}

/** Who hears of connections. */
export interface ConnectionEvents {
  /** One message, at `now` (ms). */
  receive(from: SignalSource, text: string, now: number): void;
  /** Once for each connection, when it is gone. */
  closed(from: SignalSource): void;
}

/** So many seconds' worth of messages may come at once: a client announces all its torrents when it connects. */
const burstSeconds = 20;

/** A round of pings goes in so many slices, so that no turn of the event loop is long: 100 of 10,000 connections. */
const slicesPerRound = 100;

/** Frames of the protocol's own codes. */
const policyViolation = 1008;
const goingAway = 1001;
const serviceRestart = 1012;

export class SignalConnections implements SignalSender {
  readonly #events: ConnectionEvents;
  readonly #limits: ConnectionLimits;
  readonly #clock: () => number;
  readonly #traffic: WebSocketTraffic;
  readonly #connections = new Map<number, Connection>();
  readonly #timer: NodeJS.Timeout;
  #round: Iterator<Connection> = this.#connections.values();
  /** Those that have frames to be written. */
  #speaking: Connection[] = [];
  #numbers = 0;

  constructor(limits: ConnectionLimits, clock: () => number, traffic: WebSocketTraffic, events: ConnectionEvents) {
    this.#events = events;
    this.#limits = limits;
    this.#clock = clock;
    this.#traffic = traffic;
    this.#timer = setInterval(() => this.#lookAfterSome(), Math.max(1, limits.pingIntervalMs / slicesPerRound)).unref();
  }

  /** Takes an open WebSocket and the stream below it. */
  add(socket: WebSocket, stream: Duplex, address: Uint8Array, port: number): void {
    const number = this.#numbers++;
    const now = this.#clock();
    const credit = this.#limits.messagesPerSecond * burstSeconds;
    const connection: Connection = {
      number,
      address,
      port,
      socket,
      stream,
      texts: [],
      heard: now,
      credit,
      credited: now,
    };
    this.#connections.set(number, connection);
    this.#traffic.connections++;
    socket.on('message', (data: Buffer) => {
      // Who was ended may go on talking for as long as it likes not to answer.
      if (socket.readyState !== socket.OPEN) return;
      const at = this.#clock();
      connection.heard = at;
      if (this.#spend(connection, at)) this.#events.receive(connection, data.toString(), at);
      else this.end(number, 'too many messages');
    });
    socket.on('pong', () => {
      connection.heard = this.#clock();
    });
    // A frame that is none, or a network that failed: the close that follows says all there is to do.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (!this.#connections.delete(number)) return;
      this.#traffic.connections--;
      this.#events.closed(connection);
    });
  }

  /** Messages of one turn of the event loop go out together, when all that had arrived is answered. */
  send(number: number, text: string): void {
    const connection = this.#connections.get(number);
    if (connection === undefined) return;
    if (connection.texts.push(text) === 1 && this.#speaking.push(connection) === 1) setImmediate(this.#writeAll);
  }

  end(number: number, reason: string): void {
    const connection = this.#connections.get(number);
    if (connection === undefined) return;
    this.#write(connection);
    connection.socket.close(policyViolation, reason);
  }

  /** Says goodbye to all and does not wait for theirs; those who come `again` find another process. */
  close(again: boolean): void {
    clearInterval(this.#timer);
    for (const { socket } of this.#connections.values()) {
      socket.close(again ? serviceRestart : goingAway, again ? 'the tracker restarts' : 'the tracker stops');
      socket.terminate();
    }
  }

  readonly #writeAll = (): void => {
    const speaking = this.#speaking;
    this.#speaking = [];
    for (const connection of speaking) this.#write(connection);
  };

  #write(connection: Connection): void {
    const { socket, stream, texts } = connection;
    if (texts.length === 0) return;
    connection.texts = [];
    // After the frame that closes nothing may follow (RFC 6455 §5.5.1).
    if (socket.readyState !== socket.OPEN) return;
    const frames = textFrames(texts);
    if (stream.writableLength + frames.length > this.#limits.maxBufferedBytes) {
      this.#traffic.slow++;
      socket.terminate();
      return;
    }
    stream.write(frames);
  }

  /** A bucket that fills with time; false when it is empty. */
  #spend(connection: Connection, now: number): boolean {
    const { messagesPerSecond } = this.#limits;
    const filled = connection.credit + ((now - connection.credited) * messagesPerSecond) / 1000;
    connection.credit = Math.min(filled, messagesPerSecond * burstSeconds) - 1;
    connection.credited = now;
    return connection.credit >= 0;
  }

  /** Every connection has its turn once in a ping interval: a ping, or its end after two silent intervals. */
  #lookAfterSome(): void {
    const { pingIntervalMs } = this.#limits;
    const now = this.#clock();
    for (let left = Math.ceil(this.#connections.size / slicesPerRound); left > 0; left--) {
      let next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#connections.values();
        next = this.#round.next();
      }
      if (next.done === true) return;
      const { socket, heard } = next.value;
      const silent = now - heard;
      if (silent >= 2 * pingIntervalMs) socket.terminate();
      else if (silent >= pingIntervalMs / 2 && socket.readyState === socket.OPEN) socket.ping();
    }
  }
}
