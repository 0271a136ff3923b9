import { type BencodeErrorCode, BencodeError, bytesOf } from '../src/index.ts';

/** Bencode written as latin1 text. */
export const bytes = bytesOf;

/** The code and offset that a call is refused with; undefined when it is not. Anything but a BencodeError is passed on. */
export function refusalOf(call: () => unknown): { code: BencodeErrorCode; offset: number } | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    return { code: error.code, offset: error.offset };
  }
}
