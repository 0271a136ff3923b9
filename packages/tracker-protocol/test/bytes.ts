import { readFileSync } from 'node:fs';

/** Bytes of a text, one per character. */
export function bytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}

export function text(value: Uint8Array): string {
  return String.fromCharCode(...value);
}

export function fixture(name: string): Uint8Array {
  const hex = readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
  return fromHex(hex.replaceAll('\n', ''));
}

export function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function toHex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}
