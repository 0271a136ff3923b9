// Counters of what came over the sockets, shared by the servers of one tracker and shown by its stats page.

/** What an HTTP server has answered. */
export interface HttpTraffic {
  announces: number;
  scrapes: number;
  /** Announces and scrapes answered with a failure reason. */
  failures: number;
  /** Requests that were no HTTP, or for no page of ours. */
  unknown: number;
}

/** What a UDP server has answered. */
export interface UdpTraffic {
  connects: number;
  announces: number;
  scrapes: number;
  /** Error packets sent. */
  errors: number;
  /** Datagrams that got no answer: malformed, from port 0, or one error too many. */
  dropped: number;
}

/** What a WebSocket server has passed on and answered. */
export interface WebSocketTraffic {
  /** Open now. */
  connections: number;
  /** Connections refused: no path of ours, an origin that may not, or too many. */
  refused: number;
  announces: number;
  scrapes: number;
  /** Messages answered with a failure reason. */
  failures: number;
  /** Offers passed to another peer. */
  offers: number;
  /** Answers passed back. */
  answers: number;
  /** Answers to offers that were not made, or too late. */
  dropped: number;
  /** Offers and answers handed to another node of the same tracker. */
  relayed: number;
  /** Those that were lost on the way there. */
  lost: number;
  /** Connections closed because they did not read. */
  slow: number;
}

/** Requests since the servers started. Plain numbers: read them whenever you like. */
export interface Traffic {
  readonly http: HttpTraffic;
  readonly udp: UdpTraffic;
  readonly websocket: WebSocketTraffic;
}

/** Counters at zero. */
export function createTraffic(): Traffic {
  return {
    http: { announces: 0, scrapes: 0, failures: 0, unknown: 0 },
    udp: { connects: 0, announces: 0, scrapes: 0, errors: 0, dropped: 0 },
    websocket: {
      connections: 0,
      refused: 0,
      announces: 0,
      scrapes: 0,
      failures: 0,
      offers: 0,
      answers: 0,
      dropped: 0,
      relayed: 0,
      lost: 0,
      slow: 0,
    },
  };
}
