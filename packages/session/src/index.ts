/** Many torrents on one port: sockets, disk and clock around the torrent machine. @packageDocumentation */
export { SessionError, type SessionErrorCode } from './errors.ts';
export { defaults, type AddOptions, type SessionOptions } from './options.ts';
export { Session } from './session.ts';
export { TorrentHandle } from './torrent-handle.ts';
