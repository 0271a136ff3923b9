// The only names beyond ECMAScript that a pure package may use. Everything else (timers, Buffer, process,
// fetch, console, crypto, URL) is an unknown name there, so the compiler refuses it.
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}
