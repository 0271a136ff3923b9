// A session that checks content that is there, through the public interface. usage: subject.ts TORRENT DIR
import { readFileSync } from 'node:fs';
import { parseMetainfo } from '@shoal/metainfo';
import { Session } from '@shoal/session';
import { Pauses } from '../pauses.ts';

const [torrent = '', directory = ''] = process.argv.slice(2);
const pauses = new Pauses();
const metainfo = parseMetainfo(readFileSync(torrent));
const session = await Session.open({ port: 0, bind: '127.0.0.1' });
await pauses.take();
const startedAt = performance.now();
const handle = await session.add(metainfo, { directory });
// A session may check while it runs: it is through when all is found.
await handle.completed;
const seconds = (performance.now() - startedAt) / 1000;
console.log(JSON.stringify({ event: 'checked', seconds, ...(await pauses.take()) }));
pauses.stop();
await session.close();
