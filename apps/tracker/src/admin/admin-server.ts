// The listener for administrators: who may ask, what they may ask, JSON in their hands. What happens then is decided by
// `Administration`; openapi.ts describes the same routes.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import { formatEndpoint } from '@shoal/tracker-protocol';
import { TrackerServerError } from '@shoal/tracker-server';
import type { ListenAddress } from '../configuration/setting.ts';
import type { AdminToken } from './token.ts';

/** An import of node:http would read all that it exports, among which is a whole HTTP client: 4 MB in memory. */
const { createServer } = process.getBuiltinModule('node:http');

/** An answer: a body that becomes JSON, or text. */
export interface AdminAnswer {
  readonly status: number;
  readonly body: object | string;
  /** Default application/json. */
  readonly contentType?: string;
}

/** A route: what it takes is in `path`, such as `/policy/{list}/{entry}`. */
export interface AdminRoute {
  readonly method: 'GET' | 'PUT' | 'DELETE' | 'POST';
  readonly path: string;
  /** Whether it is answered without a token: only what tells nothing. */
  readonly open?: boolean;
  /** What it does, in a sentence, for the description of the interface. */
  readonly summary: string;
  answer(parameters: Readonly<Record<string, string>>, from: string): AdminAnswer | Promise<AdminAnswer>;
}

/** An administrators' listener; disposing closes it and its connections. */
export interface AdminServer extends AsyncDisposable {
  /** `http://host:port` as bound. */
  readonly url: string;
  /** To be given to another process. */
  readonly listener: Server;
}

export interface AdminOptions {
  readonly listen: ListenAddress;
  readonly routes: readonly AdminRoute[];
  /** The token as it is now; undefined admits everybody who reaches the loopback address. */
  readonly token: () => AdminToken | undefined;
  /** Asked for a socket that listens already, in place of the address, which is bound where there is none. */
  readonly inherit?: (() => Promise<Server | undefined>) | undefined;
  /** Hears of failures of our own, which callers see as status 500. */
  readonly onError: (error: unknown) => void;
}

/** Nobody administrates over more connections at once. */
const maxConnections = 64;

/** Administrators send no bodies; a list entry in a path is short. */
const maxHeaderBytes = 8192;

/** Listens. @throws TrackerServerError when the address cannot be bound */
export async function serveAdmin(options: AdminOptions): Promise<AdminServer> {
  const { host, port } = options.listen;
  const server = createServer({ maxHeaderSize: maxHeaderBytes, requestTimeout: 10_000 }, (request, response) => {
    void respond(request, response, options);
  });
  server.maxConnections = maxConnections;
  try {
    const given = await options.inherit?.();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      if (given === undefined) server.listen(port, host, resolve);
      else server.listen(given, resolve);
    });
  } catch (cause) {
    throw new TrackerServerError('http', host, port, cause);
  }
  return {
    url: urlOf(server),
    listener: server,
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, options: AdminOptions): Promise<void> {
  // There is nothing to say in a body.
  request.resume();
  const { status, body, contentType } = await answerOf(request, options).catch((error: unknown) => {
    options.onError(error);
    return refusal(500, 'the tracker failed to answer');
  });
  const bytes = Buffer.from(typeof body === 'string' ? body : `${JSON.stringify(body)}\n`);
  response.writeHead(status, {
    'content-type': contentType ?? 'application/json',
    'content-length': bytes.length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Who asked for a restart is not to wait for its connection here.
    ...(request.method === 'POST' && { connection: 'close' }),
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(bytes);
}

async function answerOf(request: IncomingMessage, { routes, token }: AdminOptions): Promise<AdminAnswer> {
  const path = (request.url ?? '/').split('?', 1)[0]!;
  const matches = routes.flatMap((route) => {
    const parameters = match(route.path, path);
    return parameters === undefined ? [] : [{ route, parameters }];
  });
  const found = matches.find(({ route }) => route.method === request.method);
  if (found?.route.open !== true) {
    const refused = notAdmitted(request, token());
    if (refused !== undefined) return refused;
  }
  if (found !== undefined) return found.route.answer(found.parameters, request.socket.remoteAddress ?? '');
  if (matches.length === 0) return refusal(404, 'there is nothing here; see /openapi.json');
  return refusal(405, `only ${matches.map(({ route }) => route.method).join(', ')} is served here`);
}

/** Why a caller is not an administrator. */
function notAdmitted({ headers }: IncomingMessage, token: AdminToken | undefined): AdminAnswer | undefined {
  if (token !== undefined) {
    return token.admits(headers.authorization)
      ? undefined
      : refusal(401, 'send the token: Authorization: Bearer TOKEN');
  }
  // Without a token whoever reaches the loopback address is trusted, but no web page in somebody's browser is: pages of
  // other sites say their origin, and names that were rebound to this address say another host.
  if (headers.origin !== undefined || !namesLoopback(headers.host ?? '')) {
    return refusal(403, 'without --admin-token only programs on this machine are served, by its address');
  }
  return undefined;
}

function namesLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(host);
}

/** An answer that says why not. */
export function refusal(status: number, message: string): AdminAnswer {
  return { status, body: { error: message } };
}

/** Values of the names in `pattern`; undefined where `path` is another one. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [names, parts] = [pattern.split('/'), path.split('/')];
  if (names.length !== parts.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index]!;
    if (!name.startsWith('{')) {
      if (name !== part) return undefined;
      continue;
    }
    const value = decoded(part);
    if (value === undefined || value === '') return undefined;
    parameters[name.slice(1, -1)] = value;
  }
  return parameters;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function urlOf(server: Server): string {
  const address = server.address();
  // Listening on host and port always gives an address with both.
  if (address === null || typeof address === 'string') throw new TypeError('not listening on a port');
  return `http://${formatEndpoint({ ip: address.address, port: address.port })}`;
}
