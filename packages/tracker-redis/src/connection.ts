// The connection to a store: an address understood, a client made that gives up early and comes back by itself.
// Whoever announces has waited long enough after a second, so nothing is queued for a store that is away.
import { Cluster, Redis } from 'ioredis';

/** A client of one server or of a cluster. */
export type Connection = (Redis | Cluster) & BinaryCalls;

/** What the client has and its declarations leave out: a function call whose reply comes as bytes. */
interface BinaryCalls {
  fcallBuffer(name: string, keys: number, ...words: readonly (Buffer | string)[]): Promise<unknown>;
}

/** Until a connection must stand, and until one that says nothing while asked counts as dead, in ms. */
const patienceMs = 1000;

/** Between two attempts to connect, in ms, doubling from the first to the second. */
const pauseMs = { least: 50, most: 1000 } as const;

/** A master that fails is replaced after cluster-node-timeout (15 s by default), so a few seconds more are nothing. */
const slotsRefreshMs = 2000;

/** Redirections that one command follows: one is usual, two while slots move. */
const maxRedirections = 3;

const pauseOf = (attempt: number): number => Math.min(pauseMs.least * 2 ** Math.min(attempt, 10), pauseMs.most);

const shared = {
  connectTimeout: patienceMs,
  socketTimeout: patienceMs,
  // A command that was under way when the connection broke may have been performed: the caller decides.
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableAutoPipelining: true,
} as const;

/** A store's URL, understood. */
interface StoreAddress {
  readonly nodes: readonly Node[];
  readonly isCluster: boolean;
  readonly database: number;
  readonly options: { readonly username?: string; readonly password?: string; readonly tls?: object };
}

/**
 * Begins to connect to `redis://`, `rediss://` (TLS), `redis-cluster://` or `rediss-cluster://`, the latter two with any
 * number of `host:port` separated by commas; a user and password stand before the first host, a database after plain ones.
 * @throws TypeError for anything else
 */
export function connect(url: string): Connection {
  const address = addressIn(url);
  if (address === undefined) throw new TypeError('a store is redis://host:port or redis-cluster://host:port,host:port');
  const client = clientFor(address);
  if (!hasBinaryCalls(client)) throw new TypeError('this version of ioredis has no fcallBuffer');
  return client;
}

function hasBinaryCalls(client: Redis | Cluster): client is Connection {
  return 'fcallBuffer' in client;
}

function clientFor({ nodes, isCluster, database: db, options }: StoreAddress): Redis | Cluster {
  const common = { ...shared, ...options };
  if (!isCluster) return new Redis({ ...common, ...nodes[0], db, enableOfflineQueue: false, retryStrategy: pauseOf });
  return new Cluster([...nodes], {
    // Gathered before a node is chosen. At a node it would gather ASKING, which has to come just before what it is for.
    redisOptions: { ...common, enableAutoPipelining: false },
    enableAutoPipelining: true,
    enableOfflineQueue: false,
    clusterRetryStrategy: pauseOf,
    clusterNodeRetryStrategy: pauseOf,
    maxRedirections,
    slotsRefreshTimeout: patienceMs,
    slotsRefreshInterval: slotsRefreshMs,
  });
}

function addressIn(url: string): StoreAddress | undefined {
  const match = /^(redis|rediss)(-cluster)?:\/\/(?:([^@/]*)@)?([^@/]+?)(?:\/(\d{0,4}))?$/.exec(url);
  if (match === null) return undefined;
  const [, scheme, cluster, credentials, hosts = '', database] = match;
  const nodes = hosts.split(',').map(nodeOf);
  const isCluster = cluster !== undefined;
  const known = login(credentials);
  if (!nodes.every((node) => node !== undefined) || (!isCluster && nodes.length > 1)) return undefined;
  if (known === undefined) return undefined;
  const options = { ...known, ...(scheme === 'rediss' && { tls: {} }) };
  return { nodes, isCluster, database: Number(database ?? 0), options };
}

interface Node {
  readonly host: string;
  readonly port: number;
}

/** `host`, `host:port`, `[address]:port`. */
function nodeOf(text: string): Node | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 6379);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Undefined where an escape is none. */
function login(credentials: string | undefined): StoreAddress['options'] | undefined {
  if (credentials === undefined) return {};
  const colon = credentials.indexOf(':');
  const [user, password] = colon < 0 ? ['', credentials] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  try {
    const decoded = { password: decodeURIComponent(password) };
    return user === '' ? decoded : { ...decoded, username: decodeURIComponent(user) };
  } catch {
    return undefined;
  }
}
