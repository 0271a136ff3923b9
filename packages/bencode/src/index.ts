export { decode, decodePrefix, type Deviation, type ItemTaker, type Prefix, type PrefixOptions } from './decode.ts';
export { encode, type BencodeInput, type EncodeOptions } from './encode.ts';
export { BencodeError, type BencodeErrorCode } from './errors.ts';
export { defaults, maxIntegerDigits, type DecodeOptions } from './limits.ts';
export { rawValue } from './raw-value.ts';
export { bytesOf, isUtf8, latin1, utf8 } from './text.ts';
export type { BencodeDictionary, BencodeList, BencodeValue } from './value.ts';
