// Files whose content nobody prints: the certificate with its key, and the administrators' token.
import { readFile } from 'node:fs/promises';
import type { Certificate } from '@shoal/tracker-server';
import { AdminToken } from './admin/token.ts';
import type { ServeOptions } from './configuration/settings.ts';
import { ConfigurationError } from './errors.ts';

/** What was in them. */
export interface Secrets {
  readonly certificate: Certificate | undefined;
  readonly token: AdminToken | undefined;
}

/** Reads what the options name. @throws ConfigurationError naming the file */
export async function readSecrets({ tlsCert, tlsKey, adminToken }: ServeOptions): Promise<Secrets> {
  const token = adminToken === undefined ? undefined : new AdminToken(await textOf(adminToken), adminToken);
  if (tlsCert === undefined || tlsKey === undefined) return { certificate: undefined, token };
  return { certificate: { cert: await textOf(tlsCert), key: await textOf(tlsKey) }, token };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`cannot read ${file}: ${reason}`, { cause });
  }
}
