/** Many torrents on one port: sockets, disk and clock around the torrent machine. @packageDocumentation */
export { SessionError, type SessionErrorCode } from './errors.ts';
export type { ReadRange } from './file-reader.ts';
export { filePriorityNames, type FilePriority } from './file-selection.ts';
export type { ChangedFile, FileChange } from './file-watch.ts';
export { defaults, type AddOptions, type SessionOptions } from './options.ts';
export type { RateLimits, TorrentRateLimits } from './rates.ts';
export { journalPath } from './resume.ts';
export { Session } from './session.ts';
export { TorrentHandle } from './torrent-handle.ts';
export type { SessionReport } from './torrent-run.ts';
