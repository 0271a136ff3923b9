// npm bittorrent-tracker over WebSockets on a free port of the address given. It says which.
import { Server } from 'bittorrent-tracker';

const server = new Server({ http: true, udp: false, ws: true, stats: false });
server.on('error', (error) => console.log('ERROR', error.message));
server.on('listening', () => console.log('WEBSOCKET', server.http.address().port));
server.listen(0, process.argv[2] ?? '127.0.0.1');
