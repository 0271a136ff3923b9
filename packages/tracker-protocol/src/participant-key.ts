// The key of an announce as the number that UDP has for it, so that a client is the same over every transport. BEP 7, 15.

/** A key as 32 bits. Up to eight hexadecimal digits are that number; other text is hashed, and stays the same. */
export function keyNumber(key: string | number): number {
  if (typeof key === 'number') return key >>> 0;
  let value = 0;
  for (let at = 0; at < key.length; at++) {
    const digit = hexDigit(key.charCodeAt(at));
    if (digit < 0 || at === 8) return hashed(key);
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const letter = character | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

/** FNV-1a. */
function hashed(key: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < key.length; at++) hash = Math.imul(hash ^ key.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}
