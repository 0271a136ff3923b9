// The floor under every tracker in Node: datagrams answered without looking at them, requests answered with a constant.
// It says its ports.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';

const body = Buffer.concat([Buffer.from('d8:intervali1800e5:peers180:'), Buffer.alloc(180), Buffer.from('e')]);
const head = ['content-type', 'text/plain', 'content-length', String(body.length)];
const text = body.toString('latin1');
const http = createServer((_request, response) => {
  response.writeHead(200, head);
  response.end(text, 'latin1');
});

const udp = createSocket({
  type: 'udp4',
  recvBufferSize: 4 * 1024 * 1024,
  lookup: (host, _options, found) => found(null, host, 4),
});
udp.on('message', (bytes, from) => {
  // Enough for the load to know its request: action and transaction id change places with the connection id.
  bytes.copyWithin(0, 8, 16);
  udp.send(bytes, from.port, from.address);
});
udp.bind(0, '127.0.0.1', () => {
  http.listen(0, '127.0.0.1', () => console.log('HTTP', http.address().port, 'UDP', udp.address().port));
});
