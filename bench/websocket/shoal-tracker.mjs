// Our tracker with WebSockets alone in mind: limits that no measurement meets. It says its port.
import { SignalledSwarms, Tracker } from '@shoal/tracker';
import { serveHttp } from '@shoal/tracker-server';

const many = 1_000_000;
const random = Math.random;
const tracker = new Tracker({ random, signalling: new SignalledSwarms({ random, maxOffers: many }) });
const limits = { maxConnections: many, maxConnectionsPerAddress: many, messagesPerSecond: many };
const server = await serveHttp(tracker, { host: process.argv[2] ?? '127.0.0.1', port: 0, webSocket: limits });
console.log('WEBSOCKET', server.address.port);
