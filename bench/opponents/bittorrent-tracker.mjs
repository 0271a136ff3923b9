// npm bittorrent-tracker over HTTP and UDP on free loopback ports. It says which.
import { Server } from 'bittorrent-tracker';

const server = new Server({ http: true, udp: true, ws: false, stats: false });
server.on('error', (error) => console.log('ERROR', error.message));
server.on('listening', () => console.log('HTTP', server.http.address().port, 'UDP', server.udp4.address().port));
server.listen({ http: 0, udp: 0 }, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' });
