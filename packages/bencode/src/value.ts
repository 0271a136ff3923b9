// Value: the shapes that bencode can hold (BEP 3, "bencoding"), as decode returns them.

/** A decoded value. Integers outside ±(2^53 - 1) are bigint, so no digit is ever lost; byte strings are views. */
export type BencodeValue = number | bigint | Uint8Array | BencodeList | BencodeDictionary;

export type BencodeList = BencodeValue[];

/**
 * A dictionary. Keys are byte strings held as latin1 text, one character a byte: nothing is lost, whatever the bytes,
 * ASCII keys read as themselves, and text order is byte order. Being a Map, no key (`__proto__`) is special.
 */
export type BencodeDictionary = Map<string, BencodeValue>;
