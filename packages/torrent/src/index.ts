/** One torrent as a pure machine: inputs in, outputs out. @packageDocumentation */
export type { AllowanceChange } from './allowance.ts';
export type { PeerKey, PeerSource, TorrentInput } from './inputs.ts';
export type { AnnounceFacts, TorrentOutput, TorrentReport } from './outputs.ts';
export { defaults, type TorrentDescription, type TorrentFacts, type TorrentOptions } from './options.ts';
export type { Contribution } from './progress.ts';
export type { PeerSnapshot, TorrentSnapshot, TrackerSnapshot } from './snapshot.ts';
export { Torrent, type TorrentState } from './torrent.ts';
