// The WebSockets of a tracker: their limits, their pings, their end. What is answered is decided in answerer.ts.
// A slow reader, a silent one and a flooding one are ended; none of them costs the others anything. RFC 6455.
import type { Socket } from 'node:net';
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
  readonly owner: SignalConnections;
  readonly socket: Spoken;
  /** What the WebSocket is spoken over. */
  readonly stream: Pick<Socket, 'write' | 'writableLength' | 'bytesRead'>;
  /** Messages of this turn of the event loop, not written yet. */
  texts: string[] | undefined;
  /** What it had sent when it was last looked at, pongs included, and when that was more than before; whole ms, which need no object. */
  bytesHeard: number;
  heard: number;
  /** Until when its messages have used up what it may send; ms. */
  spentUntil: number;
}

/** Keeps its connection, so that all of them have the same listeners: their own would be a tenth of their memory. */
interface Spoken extends WebSocket {
  [spokenBy]?: Connection;
}

const spokenBy: unique symbol = Symbol('connection');

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
  /** Connections whose turn it is to be looked at, and part of one. */
  #due = 0;
  /** Those that have messages to be written. */
  #speaking: Connection[] = [];
  #isReceiving = false;
  #willWrite = false;
  #numbers = 0;

  constructor(limits: ConnectionLimits, clock: () => number, traffic: WebSocketTraffic, events: ConnectionEvents) {
    this.#events = events;
    this.#limits = limits;
    this.#clock = clock;
    this.#traffic = traffic;
    this.#timer = setInterval(() => this.#lookAtSome(), Math.max(1, limits.pingIntervalMs / slicesPerRound)).unref();
  }

  /** Takes an open WebSocket and the stream below it. */
  add(socket: Spoken, stream: Socket, address: Uint8Array, port: number): void {
    const number = this.#numbers++;
    const connection: Connection = {
      owner: this,
      number,
      address,
      port,
      socket,
      stream,
      texts: undefined,
      bytesHeard: 0,
      heard: Math.round(this.#clock()),
      spentUntil: 0,
    };
    this.#connections.set(number, connection);
    this.#traffic.connections++;
    socket[spokenBy] = connection;
    // A frame that is none, or a network that failed: the close that follows says all there is to do.
    socket.on('message', onMessage).on('close', onClose).on('error', ignore);
  }

  /** Takes what a connection sent. */
  receive(connection: Connection, data: Buffer): void {
    // Who was ended may go on talking for as long as it likes not to answer.
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    const now = this.#clock();
    if (!this.#spend(connection, now)) return this.end(connection.number, 'too many messages');
    const others = this.#speaking.length;
    this.#isReceiving = true;
    try {
      this.#events.receive(connection, data.toString(), now);
    } finally {
      this.#isReceiving = false;
    }
    // Nothing to wait for where nobody else is told anything.
    if (this.#speaking.length === others + 1 && this.#speaking[others] === connection) {
      this.#speaking.pop();
      this.#write(connection);
    } else this.#writeSoon();
  }

  /** Takes that a connection is gone. */
  forget(connection: Connection): void {
    if (!this.#connections.delete(connection.number)) return;
    this.#traffic.connections--;
    this.#events.closed(connection);
  }

  /** Messages of one turn of the event loop go out together, when all that had arrived is answered. */
  send(number: number, text: string): void {
    const connection = this.#connections.get(number);
    if (connection === undefined) return;
    if (connection.texts === undefined) {
      connection.texts = [text];
      this.#speaking.push(connection);
      if (!this.#isReceiving) this.#writeSoon();
    } else connection.texts.push(text);
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

  #writeSoon(): void {
    if (this.#willWrite || this.#speaking.length === 0) return;
    this.#willWrite = true;
    setImmediate(this.#writeAll);
  }

  readonly #writeAll = (): void => {
    const speaking = this.#speaking;
    this.#speaking = [];
    this.#willWrite = false;
    for (const connection of speaking) this.#write(connection);
  };

  #write(connection: Connection): void {
    const { socket, stream, texts } = connection;
    if (texts === undefined) return;
    connection.texts = undefined;
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

  /** A bucket that fills with time, told by when it will be full again; false when it is empty. */
  #spend(connection: Connection, now: number): boolean {
    const spentUntil = Math.max(connection.spentUntil, now) + 1000 / this.#limits.messagesPerSecond;
    connection.spentUntil = spentUntil;
    return spentUntil - now <= burstSeconds * 1000;
  }

  /** Every connection has its turn once in a ping interval: a ping, or its end after two silent intervals. */
  #lookAtSome(): void {
    const now = Math.round(this.#clock());
    this.#due += this.#connections.size / slicesPerRound;
    for (; this.#due >= 1; this.#due--) {
      let next = this.#round.next();
      if (next.done === true) {
        this.#round = this.#connections.values();
        next = this.#round.next();
      }
      if (next.done === true) return;
      this.#lookAt(next.value, now);
    }
  }

  #lookAt(connection: Connection, now: number): void {
    const { socket, stream, bytesHeard } = connection;
    connection.bytesHeard = stream.bytesRead;
    if (connection.bytesHeard !== bytesHeard) connection.heard = now;
    // Turns are an interval apart, more or less: this is the second that heard nothing.
    if (now - connection.heard > 1.5 * this.#limits.pingIntervalMs) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.ping();
  }
}

function onMessage(this: Spoken, data: Buffer): void {
  const connection = this[spokenBy];
  connection?.owner.receive(connection, data);
}

function onClose(this: Spoken): void {
  const connection = this[spokenBy];
  connection?.owner.forget(connection);
}

function ignore(): void {}
