// One signal out of the caller's and a time limit, and one meaning of both: a TrackerError.
import { TrackerError } from './errors.ts';

/**
 * Runs `work` until it is done, `timeoutMs` have passed or `signal` is aborted, whichever is first.
 * @throws TrackerError timeout, aborted, or what `work` throws
 */
export async function withDeadline<Value>(
  url: string,
  timeoutMs: number | undefined,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const cancel = (): void => controller.abort(new TrackerError('aborted', url, { cause: signal?.reason }));
  if (signal?.aborted) cancel();
  controller.signal.throwIfAborted();
  signal?.addEventListener('abort', cancel, { once: true });
  const expire = (): void => controller.abort(new TrackerError('timeout', url));
  const timer = timeoutMs === undefined ? undefined : setTimeout(expire, timeoutMs);
  try {
    return await Promise.race([work(controller.signal), rejection(controller.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    // Whatever lost the race stops working.
    controller.abort();
  }
}

/** Rejects with the signal's reason once it is aborted; never resolves. */
export function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
