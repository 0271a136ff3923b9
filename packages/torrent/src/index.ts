/** One torrent as a pure machine: inputs in, outputs out. @packageDocumentation */
export type { PeerKey, PeerSource, TorrentInput } from './inputs.ts';
export type { AnnounceFacts, TorrentOutput, TorrentReport } from './outputs.ts';
export { defaults, type TorrentDescription, type TorrentOptions } from './options.ts';
