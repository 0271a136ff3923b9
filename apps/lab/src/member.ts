// What is known of one client of the swarm from the events it tells. Decides nothing; an event it does not know changes
// nothing.
import type { AppEvent } from './app-process.ts';
import { RateWindow } from './rate-window.ts';

export type MemberState = 'starting' | 'checking' | 'downloading' | 'seeding' | 'stopped';

export class Member {
  readonly name: string;
  state: MemberState = 'starting';
  /** 40 hex digits, from the moment it has its torrent. */
  peerId: string | undefined;
  infoHash = '';
  totalBytes = 0;
  pieces = 0;
  havePieces = 0;
  leftBytes = 0;
  downloadedBytes = 0;
  uploadedBytes = 0;
  peers = 0;
  /** Received from each, by peer id. */
  readonly received: Map<string, number> = new Map();
  /** When its last piece was verified, in ms of the caller's clock. */
  completedAt: number | undefined;
  readonly #down = new RateWindow();
  readonly #up = new RateWindow();

  constructor(name: string) {
    this.name = name;
  }

  /** What it has of the content, verified. */
  get doneBytes(): number {
    return this.totalBytes - this.leftBytes;
  }

  downloadRate(now: number): number {
    return this.state === 'stopped' ? 0 : this.#down.rate(now);
  }

  uploadRate(now: number): number {
    return this.state === 'stopped' ? 0 : this.#up.rate(now);
  }

  handle(event: AppEvent, now: number): void {
    switch (event.event) {
      case 'checking':
        this.state = 'checking';
        return;
      case 'added':
        this.peerId = textOf(event['peerId']);
        this.infoHash = textOf(event['infoHash']);
        this.totalBytes = numberOf(event['totalBytes']);
        this.leftBytes = this.totalBytes;
        this.pieces = numberOf(event['pieces']);
        this.havePieces = numberOf(event['havePieces']);
        this.state = this.havePieces === this.pieces ? 'seeding' : 'downloading';
        if (this.state === 'seeding') this.leftBytes = 0;
        return;
      case 'progress':
        return this.#progress(event, now);
      case 'completed':
        this.completedAt ??= now;
        this.state = 'seeding';
        return;
      case 'stopped':
        this.#progress(event, now);
        this.state = 'stopped';
        return;
      default:
        return;
    }
  }

  #progress(event: AppEvent, now: number): void {
    if (event['state'] === 'downloading' || event['state'] === 'seeding') this.state = event['state'];
    this.havePieces = numberOf(event['havePieces']);
    this.leftBytes = numberOf(event['leftBytes']);
    this.downloadedBytes = numberOf(event['downloadedBytes']);
    this.uploadedBytes = numberOf(event['uploadedBytes']);
    this.peers = numberOf(event['peers']);
    this.#down.add(this.downloadedBytes, now);
    this.#up.add(this.uploadedBytes, now);
    const contributions: unknown = event['contributions'];
    if (!Array.isArray(contributions)) return;
    for (const entry of contributions as { peerId?: unknown; downloadedBytes?: unknown }[])
      this.received.set(textOf(entry.peerId), numberOf(entry.downloadedBytes));
  }
}

const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
