// npm bittorrent-tracker as a program: `bittorrent-tracker.mjs ADDRESS PORT`, over HTTP and UDP.
// The /server entry point needs no WebRTC binary, unlike the package's own.
import Server from 'bittorrent-tracker/server';

const [address, port] = process.argv.slice(2);
const server = new Server({ http: true, udp: true, ws: false, stats: false });
server.on('error', (error) => {
  console.error(error);
  process.exitCode = 1;
  server.close();
});
server.on('warning', (error) => console.error(`warning: ${error.message}`));
server.on('listening', () => console.log('listening'));
// It wants an IPv6 socket as well, on which nobody calls.
server.listen(Number(port), { http: address, udp: address, udp6: '::1' });
process.once('SIGTERM', () => process.exit());
