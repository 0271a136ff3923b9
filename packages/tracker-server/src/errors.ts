// The one error class of this package: a tracker that cannot listen. What remotes do wrong is answered, not thrown.
import { formatEndpoint } from '@shoal/tracker-protocol';

/** Why a server could not start; part of semver. */
export type TrackerServerErrorCode =
  | 'address-in-use'
  | 'address-not-available'
  | 'permission-denied'
  | 'host-not-found'
  | 'bad-certificate'
  | 'listen-failed';

/** A server that could not start; `cause` is the system's own error. */
export class TrackerServerError extends Error {
  readonly code: TrackerServerErrorCode;
  readonly transport: 'http' | 'udp';
  readonly host: string;
  readonly port: number;

  constructor(transport: 'http' | 'udp', host: string, port: number, cause: unknown) {
    const code = codeOf(cause);
    super(`cannot listen for ${transport.toUpperCase()} on ${formatEndpoint({ ip: host, port })}: ${reasons[code]}`, {
      cause,
    });
    this.name = 'TrackerServerError';
    this.code = code;
    this.transport = transport;
    this.host = host;
    this.port = port;
  }
}

const reasons: Record<TrackerServerErrorCode, string> = {
  'address-in-use': 'the address is in use; stop the other program or choose another port',
  'address-not-available': 'this machine does not have the address',
  'permission-denied': 'not permitted; ports below 1024 need privileges',
  'host-not-found': 'the host name has no address',
  'bad-certificate': 'the certificate or its key cannot be used: both must be PEM and belong together',
  'listen-failed': 'the system refused',
};

const codes: Readonly<Record<string, TrackerServerErrorCode>> = {
  EADDRINUSE: 'address-in-use',
  EADDRNOTAVAIL: 'address-not-available',
  EAFNOSUPPORT: 'address-not-available',
  EACCES: 'permission-denied',
  EPERM: 'permission-denied',
  ENOTFOUND: 'host-not-found',
  EAI_AGAIN: 'host-not-found',
};

/** Whether OpenSSL refused a certificate or key, and not the system a socket. */
export function isOpenSslError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^ERR_(?:OSSL|SSL|CRYPTO|TLS)_/.test(code);
}

function codeOf(cause: unknown): TrackerServerErrorCode {
  if (isOpenSslError(cause)) return 'bad-certificate';
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return (typeof code === 'string' ? codes[code] : undefined) ?? 'listen-failed';
}
