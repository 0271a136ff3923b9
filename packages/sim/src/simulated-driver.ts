// Drives one real Torrent by the driver's law: one `handle`, every output in order, then the alarm is armed again from
// `deadline`; never an input while outputs are performed. Watches the torrent's side of the contract on the way.
// Decides nothing about torrents; must not know other peers, or whether they are honest.
import { type Bitfield, blockLength, type Block } from '@shoal/pieces';
import { Torrent, type TorrentInput, type TorrentOutput } from '@shoal/torrent';
import type { Endpoint } from '@shoal/tracker-protocol';
import { pieceHeaderLength, writePieceHeader } from '@shoal/wire';
import { BackgroundCheck } from './background-check.ts';
import type { Connection } from './connection.ts';
import { DiskTrouble } from './disk-trouble.ts';
import { SimulationError } from './errors.ts';
import type { HostListener } from './host.ts';
import type { Life, LifeFacts } from './life.ts';
import { addressOf } from './network.ts';
import type { Alarm } from './scheduler.ts';
import { PieceBuffers } from './simulated-disk.ts';
import { inputLine, outputLine } from './trace-lines.ts';

type Output<Type extends TorrentOutput['type']> = Extract<TorrentOutput, { type: Type }>;

/** A deadline that is still due after this many alarms at one instant will be due for ever. */
const maxAlarmsAtOnce = 100;
/** Received bytes lie somewhere in a larger buffer, as in one that sockets share: nobody may count on offset 0. */
const maxStart = 61;
/** What the receive buffer holds once a turn is over: whoever kept a view of it sees its mistake. */
const spent = 0xdd;

/** What the user of a running client may want. */
export type UserInput = Extract<
  TorrentInput,
  { readonly type: 'allowance' | 'priorities' | 'sequential' | 'deadline' }
>;

export class SimulatedDriver implements HostListener, Life {
  readonly torrent: Torrent;
  readonly #facts: LifeFacts;
  readonly #alarm: Alarm;
  readonly #buffers: PieceBuffers;
  readonly #trouble: DiskTrouble;
  readonly #check: BackgroundCheck;
  /** What the torrent was told to be on disk. */
  readonly #told: Bitfield;
  readonly #connections = new Map<number, Connection>();
  readonly #dialing = new Set<string>();
  #received: Uint8Array = new Uint8Array(64 * 1024);
  #turns = 0;
  #blocks = 0;
  /** The input whose offsets outputs may use now. */
  #input: TorrentInput | undefined;
  #announcing = false;
  #stopping = false;
  #ended = false;
  #alarmsAtOnce = 0;
  #lastAlarmUs = -1;

  constructor(facts: LifeFacts) {
    this.#facts = facts;
    this.#buffers = new PieceBuffers(facts.content);
    const { disk, doubt: held, description, torrentOptions, random } = facts;
    this.#told = disk.stored.clone();
    for (const piece of held.indices()) this.#told.remove(piece);
    this.torrent = new Torrent(description, this.#told.clone(), torrentOptions, { held });
    this.#trouble = new DiskTrouble(facts.scheduler, {
      suspended: (reason) => this.#handle({ type: 'suspended', reason }),
      resumed: () => this.#handle({ type: 'resumed' }),
    });
    const tell = (piece: number, isStored: boolean): void => this.#looked(piece, isStored);
    this.#check = new BackgroundCheck({ disk, trouble: this.#trouble, random, tell });
    this.#alarm = facts.scheduler.alarm(() => this.#deadlineReached());
  }

  start(known: readonly Endpoint[]): void {
    this.#facts.host.listen(this);
    this.#handle({ type: 'started' });
    if (known.length > 0) this.#handle({ type: 'peers-found', peers: known, source: 'user' });
    this.#check.add(this.#facts.doubt);
  }

  /** What its user wants. */
  tell(input: UserInput): void {
    this.#handle(input);
  }

  /** Its user wants the pieces to be checked while it runs. */
  recheck(pieces: Bitfield): void {
    for (const piece of pieces.indices()) this.#told.remove(piece);
    this.#handle({ type: 'pieces-doubted', pieces });
    this.#check.add(pieces);
  }

  stop(): void {
    this.#stopping = true;
    this.#handle({ type: 'stopped' });
    this.#facts.host.listen(undefined);
    this.#endDiskWork();
  }

  end(): void {
    this.#ended = true;
    this.#endDiskWork();
    this.#alarm.disarm();
    this.#facts.host.listen(undefined);
  }

  accepted(connection: Connection): void {
    this.#join(connection, connection.remote, true);
  }

  connected(connection: Connection): void {
    this.#dialing.delete(addressOf(connection.remote));
    this.#join(connection, connection.remote, false);
  }

  refused(endpoint: Endpoint, reason: string): void {
    this.#dialing.delete(addressOf(endpoint));
    this.#handle({ type: 'dial-failed', endpoint, reason });
  }

  received(connection: Connection, bytes: Uint8Array): void {
    const start = this.#turns % maxStart;
    const end = start + bytes.length;
    if (this.#received.length < end) this.#received = new Uint8Array(end * 2);
    this.#received.set(bytes, start);
    this.#facts.measurements.receivedBytes += bytes.length;
    this.#handle({ type: 'bytes-received', peer: connection.id, chunk: this.#received, start, end });
    this.#received.fill(spent, start, end);
  }

  sent(connection: Connection, payload: number): void {
    this.#facts.measurements.payloadSent(this.#facts.nameOf(connection.otherHost.ip), payload);
    this.#handle({ type: 'uploaded', peer: connection.id, bytes: payload });
  }

  closed(connection: Connection, reason: string): void {
    this.#connections.delete(connection.id);
    this.#handle({ type: 'peer-disconnected', peer: connection.id, reason });
  }

  #join(connection: Connection, endpoint: Endpoint, incoming: boolean): void {
    this.#connections.set(connection.id, connection);
    this.#facts.measurements.connections++;
    this.#handle({ type: 'peer-connected', peer: connection.id, endpoint, incoming });
  }

  #deadlineReached(): void {
    const { nowUs } = this.#facts.scheduler;
    this.#alarmsAtOnce = nowUs === this.#lastAlarmUs ? this.#alarmsAtOnce + 1 : 1;
    this.#lastAlarmUs = nowUs;
    if (this.#alarmsAtOnce > maxAlarmsAtOnce) {
      const message = `its deadline is still ${this.torrent.deadline} ms after ${maxAlarmsAtOnce} alarms at one instant`;
      throw new SimulationError('stuck-clock', message, this.#facts.name, nowUs);
    }
    this.#handle({ type: 'time-passed' });
  }

  #handle(input: TorrentInput): void {
    if (this.#ended) return;
    const { scheduler, trace, name } = this.#facts;
    this.#turns++;
    trace.event(scheduler.nowUs, name, inputLine(input));
    this.#input = input;
    for (const output of this.torrent.handle(input, scheduler.nowMs)) this.#perform(output);
    this.#input = undefined;
    this.#arm();
  }

  #arm(): void {
    const { scheduler } = this.#facts;
    const { deadline } = this.torrent;
    if (Number.isNaN(deadline)) this.#broken('has a deadline that is no number');
    let dueUs = Math.ceil(deadline * 1000);
    // Rounding must not wake it a hair before its time.
    if (dueUs / 1000 < deadline) dueUs++;
    this.#alarm.arm(Math.max(dueUs, scheduler.nowUs));
  }

  #perform(output: TorrentOutput): void {
    const { scheduler, trace, name, measurements } = this.#facts;
    trace.event(scheduler.nowUs, name, outputLine(output));
    switch (output.type) {
      case 'dial':
        return this.#dial(output.endpoint);
      case 'send':
        measurements.messageSent(output.bytes.length);
        return this.#connection(output.peer, 'sends bytes to').write(output.bytes);
      case 'hang-up':
        this.#connection(output.peer, 'hangs up on').close();
        this.#connections.delete(output.peer);
        return;
      case 'store':
        return this.#store(output);
      case 'discard':
        return this.#discard(output.piece);
      case 'check-piece':
        return this.#checkPiece(output.piece);
      case 'upload':
        return this.#upload(output);
      case 'announce':
        return this.#announce(output);
      case 'report':
        return measurements.reported(output.report, scheduler.nowMs, this.#facts.nameOf);
    }
  }

  #dial(endpoint: Endpoint): void {
    const address = addressOf(endpoint);
    if (this.#stopping) this.#broken(`dials ${address} after it was stopped`);
    if (this.#dialing.has(address)) this.#broken(`dials ${address} while it is dialling it already`);
    this.#dialing.add(address);
    this.#facts.host.dial(endpoint);
  }

  #store({ piece, begin, start, end }: Output<'store'>): void {
    const input = this.#input;
    if (input?.type !== 'bytes-received') return this.#broken('stores bytes though none arrived this turn');
    if (start < input.start || end > input.end || start > end) this.#broken('stores bytes outside those that arrived');
    const fault = this.#buffers.store(piece, begin, input.chunk.subarray(start, end));
    if (fault !== undefined) this.#broken(fault);
    this.#facts.measurements.peakBufferBytes = this.#buffers.peakBytes;
  }

  #discard(piece: number): void {
    const fault = this.#buffers.discard(piece);
    if (fault !== undefined) this.#broken(fault);
  }

  #checkPiece(piece: number): void {
    const bytes = this.#buffers.take(piece);
    if (typeof bytes === 'string') return this.#broken(bytes);
    this.#trouble.run((answer) =>
      this.#facts.disk.check(piece, bytes, (outcome, failure) => {
        // The bytes stay until they are written: a full disk must not cost what was downloaded.
        if (outcome === 'failed') return answer(failure);
        this.#buffers.drop(piece);
        if (outcome === 'stored') this.#told.add(piece);
        this.#handle({ type: 'piece-checked', piece, outcome });
        return answer(undefined);
      }),
    );
  }

  #upload({ peer, blocks }: Output<'upload'>): void {
    const connection = this.#connection(peer, 'uploads to');
    this.#requireRun(blocks);
    let wanted = true;
    this.#trouble.run((answer) =>
      this.#facts.disk.read(blocks, (contents, failure) => {
        // Read again it only shows that the disk works: who asked was told, and what is gone will not come back.
        const isLost = !blocks.every(({ piece }) => this.#told.has(piece));
        answer(isLost ? undefined : failure);
        if (failure !== undefined) this.#missVanished();
        if (this.#ended || connection.ended || !wanted) return;
        wanted = false;
        if (contents !== undefined) {
          contents.forEach((content, index) => this.#sendBlock(connection, blocks[index]!, content));
          return;
        }
        const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
        this.#handle({ type: 'read-failed', peer, bytes, blocks, reason: failure ?? 'the disk cannot be read' });
      }),
    );
  }

  #looked(piece: number, isStored: boolean): void {
    if (this.#ended) return;
    if (isStored) this.#told.add(piece);
    this.#handle({ type: isStored ? 'piece-found' : 'piece-missing', piece });
  }

  /** Something could not be read: what is gone for good is told at once. */
  #missVanished(): void {
    const pieces = this.#facts.disk.takeVanished();
    if (pieces.isEmpty || this.#ended) return;
    for (const piece of pieces.indices()) this.#told.remove(piece);
    this.#handle({ type: 'pieces-lost', pieces });
  }

  #endDiskWork(): void {
    this.#trouble.end();
    this.#check.end();
  }

  #sendBlock(connection: Connection, block: Block, content: Uint8Array): void {
    const { behaviour, random } = this.#facts;
    if (behaviour.outgoingBlock?.(content, random, this.#blocks++) === 'swallow') return;
    const header = new Uint8Array(pieceHeaderLength);
    writePieceHeader(header, 0, block);
    connection.write(header);
    connection.write(content, block.length);
  }

  #requireRun(blocks: readonly Block[]): void {
    const first = blocks[0];
    if (first === undefined) return this.#broken('uploads no blocks');
    if (!this.#told.has(first.piece)) this.#broken(`uploads piece ${first.piece}, which is not stored`);
    let begin = first.begin;
    for (const block of blocks) {
      if (block.piece !== first.piece || block.begin !== begin)
        this.#broken('uploads blocks that are no contiguous run');
      if (block.length > blockLength) this.#broken(`uploads a block of ${block.length} bytes`);
      begin += block.length;
    }
  }

  #announce({ facts }: Output<'announce'>): void {
    if (this.#announcing && facts.event !== 'stopped') this.#broken('announces while an announce is under way');
    this.#announcing = true;
    this.#facts.measurements.announces++;
    const { announce, scheduler } = this.#facts;
    const answered = (input: TorrentInput): void => {
      this.#announcing = false;
      this.#handle(input);
    };
    if (announce !== undefined) announce(facts, answered);
    else
      scheduler.after(0, () =>
        answered({ type: 'announce-failed', reason: 'no tracker', retryInMs: noTrackerRetryMs }),
      );
  }

  #connection(peer: number, act: string): Connection {
    return this.#connections.get(peer) ?? this.#broken(`${act} connection ${peer}, which is over or never was`);
  }

  #broken(message: string): never {
    throw new SimulationError('broken-contract', message, this.#facts.name, this.#facts.scheduler.nowUs);
  }
}

/** Without a tracker there is no point in asking again. A day: the longest wait that a torrent accepts. */
const noTrackerRetryMs = 24 * 60 * 60 * 1000;
