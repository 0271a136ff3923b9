// The floor under every tracker in Node that uses ws: messages parsed, a constant answer, offers passed to whoever
// connected next. It says its port.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

const answer = JSON.stringify({
  action: 'announce',
  info_hash: 'x'.repeat(20),
  interval: 120,
  complete: 1,
  incomplete: 1,
});
const server = createServer();
const acceptor = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false });
const sockets = [];
acceptor.on('connection', (socket) => {
  const number = sockets.push(socket) - 1;
  socket.on('message', (/** @type {Buffer} */ data) => {
    const { info_hash, peer_id, offers = [] } = JSON.parse(data.toString());
    socket.send(answer);
    for (const [index, { offer, offer_id }] of offers.entries()) {
      const message = JSON.stringify({ action: 'announce', info_hash, peer_id, offer, offer_id });
      sockets[(number + index + 1) % sockets.length].send(message);
    }
  });
});
server.listen(0, process.argv[2] ?? '127.0.0.1', () => console.log('WEBSOCKET', server.address().port));
