// The one error class of this package: what a tracker did that left nothing to read. Within a case it becomes a
// verdict; only `bad-host` reaches a caller.

/** What went wrong; part of semver. */
export type ConformanceErrorCode =
  | 'bad-host'
  | 'no-answer'
  | 'no-connection'
  | 'not-bencoded'
  | 'not-http'
  | 'not-json'
  | 'refused'
  | 'too-large';

/** A tracker that could not be found, asked or read; `cause` is the system's own error where there is one. */
export class ConformanceError extends Error {
  readonly code: ConformanceErrorCode;

  constructor(code: ConformanceErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'ConformanceError';
    this.code = code;
  }
}
