// The one error class of this package. Texts name the tracker's host only: the path of a private tracker's URL is a
// password, and messages end up in logs. The whole URL is in `url`.

/**
 * `refused` is the tracker's own refusal, with its words in `failureReason`. `too-soon` was not sent, because the
 * tracker asked for a longer pause. `all-failed` has an AggregateError of every tracker's error as its cause.
 */
export type TrackerErrorCode =
  | 'aborted'
  | 'all-failed'
  | 'http-status'
  | 'malformed'
  | 'no-scrape'
  | 'no-trackers'
  | 'refused'
  | 'refused-address'
  | 'refused-redirect'
  | 'timeout'
  | 'too-large'
  | 'too-many-redirects'
  | 'too-soon'
  | 'unreachable'
  | 'unresolved'
  | 'unsupported-url';

export interface TrackerErrorFacts {
  readonly cause?: unknown;
  /** What the tracker said, as text for a person. */
  readonly failureReason?: string | undefined;
  /** Milliseconds the tracker wants to be left alone; Infinity for "never again" (BEP 31). */
  readonly retryInMs?: number | undefined;
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
}

/** An announce or scrape that did not succeed. */
export class TrackerError extends Error {
  readonly code: TrackerErrorCode;
  /** The tracker's URL as given. May hold a passkey: show `message` instead. */
  readonly url: string;
  readonly failureReason: string | undefined;
  readonly retryInMs: number | undefined;
  readonly status: number | undefined;

  constructor(code: TrackerErrorCode, url: string, facts: TrackerErrorFacts = {}) {
    super(messageOf(code, url, facts), facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = 'TrackerError';
    this.code = code;
    this.url = url;
    this.failureReason = facts.failureReason;
    this.retryInMs = facts.retryInMs;
    this.status = facts.status;
  }
}

function messageOf(code: TrackerErrorCode, url: string, { failureReason, status }: TrackerErrorFacts): string {
  const text = `${hostOf(url)}: ${sentences[code]}`;
  if (failureReason !== undefined) return `${text}: ${failureReason}`;
  return status === undefined ? text : `${text} ${status}`;
}

function hostOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(url)?.[1] ?? 'tracker';
}

const sentences: Record<TrackerErrorCode, string> = {
  aborted: 'the request was cancelled',
  'all-failed': 'no tracker could be used',
  'http-status': 'the tracker answered with HTTP status',
  malformed: 'the answer is not one of a tracker',
  'no-scrape': 'this tracker has no scrape address',
  'no-trackers': 'there is no tracker to ask',
  refused: 'the tracker refused',
  'refused-address': 'a tracker on this computer must have announce in its path',
  'refused-redirect': 'the tracker redirects to where it must not',
  timeout: 'the tracker did not answer in time',
  'too-large': 'the answer is too large',
  'too-many-redirects': 'the tracker redirects too often',
  'too-soon': 'the tracker asked for a longer pause',
  unreachable: 'the tracker cannot be reached',
  unresolved: 'the name of the tracker has no address',
  'unsupported-url': 'this is not the URL of an HTTP or UDP tracker',
};
