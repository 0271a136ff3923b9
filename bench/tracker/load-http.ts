// Announces over HTTP: clients with one request outstanding each, which keep their connection as long as the tracker
// does, or open one for each announce. Requests are patched into prepared bytes; of an answer just enough is read.
import { type Socket, connect } from 'node:net';
import { type Population, addressCount, wantedPeers } from './population.ts';
import type { Tally } from './tally.ts';

/** Longer than any answer here: its head and 30 peers have 400 bytes. */
const answerBytes = 16_384;

const hashAt = '/announce?info_hash='.length + 'GET '.length;
const hashText = '%00'.repeat(20);
const idAt = hashAt + hashText.length + '&peer_id='.length;
const portAt = idAt + 20 + '&port='.length;
const leftAt = portAt + 5 + '&uploaded=0&downloaded=0&left='.length;

/** Starts announcing to `127.0.0.1:port` and goes on until the process ends. */
export function loadHttp(port: number, keepsAlive: boolean, population: Population, tally: Tally): void {
  const patch = (request: Buffer): void => writePeer(request, population, population.peer());
  for (let index = 0; index < addressCount; index++) new Client(port, index, keepsAlive, tally, patch).next();
}

interface Connection {
  readonly socket: Socket;
  answers: number;
}

class Client {
  readonly #address: { readonly host: string; readonly port: number; readonly localAddress: string };
  readonly #tally: Tally;
  readonly #patch: (request: Buffer) => void;
  readonly #request: Buffer;
  readonly #received: Buffer = Buffer.alloc(answerBytes);
  /** What every read goes to; copied from there, as an answer may come in parts. */
  readonly #chunk: Buffer = Buffer.alloc(answerBytes);
  #filled = 0;
  #connection: Connection | undefined;
  #keepsAlive: boolean;
  #waiting = false;
  #sentAt = 0;

  constructor(port: number, index: number, keepsAlive: boolean, tally: Tally, patch: (request: Buffer) => void) {
    this.#address = { host: '127.0.0.1', port, localAddress: `127.0.0.${2 + index}` };
    this.#keepsAlive = keepsAlive;
    this.#tally = tally;
    this.#patch = patch;
    this.#request = requestTemplate(keepsAlive);
  }

  /** Announces any peer. Its time runs from here: connecting is part of the wait. */
  next(): void {
    this.#patch(this.#request);
    this.#filled = 0;
    this.#waiting = true;
    this.#sentAt = performance.now();
    this.#connection ??= this.#open();
    this.#connection.socket.write(this.#request);
  }

  #open(): Connection {
    const onread = { buffer: this.#chunk, callback: (length: number): boolean => this.#read(connection, length) };
    const connection = { socket: connect({ ...this.#address, noDelay: true, onread }), answers: 0 };
    // Whatever went wrong, the connection closes next.
    connection.socket.on('error', () => {});
    connection.socket.on('close', () => {
      this.#connection = undefined;
      // opentracker says nothing and closes after an answer; what was sent meanwhile is sent again.
      if (this.#waiting && connection.answers > 0 && this.#filled === 0) this.#keepsAlive = false;
      else if (this.#waiting) this.#tally.loss();
      // Not in this turn: a tracker that is not there yet would starve the timers.
      setImmediate(() => this.next());
    });
    return connection;
  }

  #read(connection: Connection, length: number): boolean {
    this.#chunk.copy(this.#received, this.#filled, 0, length);
    this.#filled += length;
    const answer = readAnswer(this.#received.subarray(0, this.#filled));
    if (answer === undefined) return true;
    this.#waiting = false;
    connection.answers++;
    if (answer.peers === undefined) this.#tally.refusal(answer.text);
    else this.#tally.answer(performance.now() - this.#sentAt, answer.peers);
    // Where the tracker closes it is waited for, so that what closing costs it is part of the measurement.
    if (this.#keepsAlive && answer.keepsAlive) this.next();
    return true;
  }
}

interface Answer {
  /** Undefined in a refusal. */
  readonly peers: number | undefined;
  readonly keepsAlive: boolean;
  readonly text: string;
}

/** Undefined as long as it is not complete. */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = /content-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined || bytes.length < end + 4 + Number(length)) return undefined;
  const list = bytes.indexOf('5:peers', end);
  const peers = list < 0 ? undefined : Number.parseInt(bytes.toString('latin1', list + 7, list + 12), 10) / 6;
  const keepsAlive = head.startsWith('HTTP/1.1') && !/connection: *close/i.test(head);
  return { peers, keepsAlive, text: peers === undefined ? bytes.toString('latin1', end + 4) : '' };
}

function requestTemplate(keepsAlive: boolean): Buffer {
  const query = `info_hash=${hashText}&peer_id=-SB0001-${'x'.repeat(12)}&port=10000&uploaded=0&downloaded=0&left=0`;
  const rest = `&numwant=${wantedPeers}&compact=1&no_peer_id=1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n`;
  return Buffer.from(`GET /announce?${query}${rest}Connection: ${keepsAlive ? 'keep-alive' : 'close'}\r\n\r\n`);
}

function writePeer(request: Buffer, population: Population, peer: number): void {
  const from = population.torrent(peer) * 20;
  for (let at = 0; at < 20; at++) {
    const byte = population.hashes[from + at]!;
    request[hashAt + 3 * at + 1] = hexDigits[byte >> 4]!;
    request[hashAt + 3 * at + 2] = hexDigits[byte & 15]!;
  }
  population.writePeerId(request, idAt + 8, peer);
  for (let at = portAt + 4, rest = population.port(peer); at >= portAt; at--, rest = Math.floor(rest / 10))
    request[at] = 0x30 + (rest % 10);
  request[leftAt] = 0x30 + population.left(peer);
}

const hexDigits = Buffer.from('0123456789ABCDEF');
