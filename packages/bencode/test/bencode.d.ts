// npm `bencode` has no types of its own; these are of what the oracle and the benchmark call.
declare module 'bencode' {
  const bencode: {
    encode(value: unknown): Uint8Array;
    decode(bytes: Uint8Array): unknown;
  };
  export default bencode;
}
