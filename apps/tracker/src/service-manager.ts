// Tells systemd that a service of Type=notify is ready (sd_notify). Node has no datagrams of the Unix domain, so
// systemd's own program sends it; that needs NotifyAccess=all.
import { execFile } from 'node:child_process';

/** Systemd gives up on a start after 90 s; a datagram takes none. */
const timeoutMs = 5000;

/** Tells it if there is one, and that `mainPid` is the service from now on; says what went wrong. */
export async function tellServiceManager(
  environment: NodeJS.ProcessEnv,
  mainPid?: number,
): Promise<string | undefined> {
  if (environment['NOTIFY_SOCKET'] === undefined) return undefined;
  return new Promise((resolve) => {
    const words = mainPid === undefined ? ['--ready'] : ['--ready', `--pid=${mainPid}`];
    execFile('systemd-notify', words, { env: environment, timeout: timeoutMs }, (error) => resolve(error?.message));
  });
}
