// The one error class of this package: a list of the operator's that cannot be read. What remotes do wrong is
// answered, not thrown. Says where in the text and what was expected there.

/** What an entry of a list was not; part of semver. */
export type PolicyListErrorCode = 'not-an-info-hash' | 'not-a-client-prefix' | 'not-an-address-range';

/** A list with an entry that cannot be understood. Nothing of such a list is used. */
export class PolicyListError extends Error {
  readonly code: PolicyListErrorCode;
  /** From 1. */
  readonly line: number;
  /** From 1, in bytes: where the entry begins. */
  readonly column: number;
  /** The entry, cut after 80 bytes, other bytes than printable ASCII replaced by `?`. */
  readonly entry: string;

  constructor(code: PolicyListErrorCode, line: number, column: number, entry: string) {
    super(`line ${line}, column ${column}: ${expectations[code]}, not ${JSON.stringify(entry)}`);
    this.name = 'PolicyListError';
    this.code = code;
    this.line = line;
    this.column = column;
    this.entry = entry;
  }
}

const expectations: Record<PolicyListErrorCode, string> = {
  'not-an-info-hash': 'an info-hash has 40 hexadecimal digits',
  'not-a-client-prefix': 'a client is 1 to 20 characters of its peer id, other bytes than printable ASCII as %XX',
  'not-an-address-range': 'a range is an address, address/bits, or two addresses with a hyphen between',
};
