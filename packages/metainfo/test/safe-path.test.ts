import { describe, expect, test } from 'vitest';
import { foldedElement, numberedElement, safeElement } from '../src/safe-path.ts';

describe('clients 60: one element of a path', () => {
  test.for([
    ['plain.txt', 'plain.txt', 'is kept'],
    ['Ünïcode – 日本語 🐟.flac', 'Ünïcode – 日本語 🐟.flac', 'is kept beyond ASCII'],
    ['.hidden', '.hidden', 'is kept with a leading dot'],
    [' leading', ' leading', 'is kept with a leading space'],
    ['a...b', 'a...b', 'is kept with dots inside'],
    ['.', undefined, 'is dropped when it names the folder itself'],
    ['..', undefined, 'is dropped when it names the folder above'],
    ['.\u200b.', undefined, 'is dropped when a zero-width character hides the folder above'],
    ['./.', undefined, 'is dropped when a separator hides the folder above'],
    ['...', '', 'is nothing when it is dots only'],
    ['', '', 'is nothing when it is empty'],
    ['\u202e\u2066', '', 'is nothing when it is bidi controls only'],
    ['a/b\\c', 'abc', 'loses separators'],
    ['\u202egpj.exe', 'gpj.exe', 'loses bidi controls, which hide extensions'],
    ['a\u200bb\u2060c\ufeffd', 'abcd', 'loses zero-width characters'],
    ['pay\u200dpal', 'paypal', 'loses joiners beside ASCII'],
    ['👨\u200d👩\u200d👧', '👨\u200d👩\u200d👧', 'keeps joiners that make one emoji'],
    ['می\u200cخواهم', 'می\u200cخواهم', 'keeps non-joiners that Persian needs'],
    ['é\u200d\u200d\u200dé', 'éé', 'loses runs of joiners'],
    ['a\0b\x1fc\x7fd\x85e\u2028f', 'a_b_c_d_e_f', 'gets _ for NUL, controls and line separators'],
    ['a\ufffdb', 'a_b', 'gets _ where it was no UTF-8'],
    ['name. . .', 'name', 'loses trailing dots and spaces'],
    ['con', 'con_', 'is no device'],
    ['NUL.txt', 'NUL_.txt', 'is no device with an extension'],
    ['Com1 .tar.gz', 'Com1_ .tar.gz', 'is no device with spaces before the extension'],
    ['lpt¹', 'lpt¹_', 'is no device with a superscript'],
    ['aux.', 'aux_', 'is no device once the dot is gone'],
    ['con\u200b', 'con_', 'is no device once the hidden character is gone'],
    ['CONIN$', 'CONIN$_', 'is no console'],
    ['console.log', 'console.log', 'is kept when it only begins like a device'],
    ['a:b?.txt', 'a:b?.txt', 'keeps what Windows alone refuses'],
    ['x'.repeat(300), 'x'.repeat(240), 'is cut to 240 bytes'],
    [`${'x'.repeat(300)}.tar`, `${'x'.repeat(236)}.tar`, 'keeps its extension when cut'],
    [`${'é'.repeat(150)}.mp3`, `${'é'.repeat(118)}.mp3`, 'is cut between characters'],
    [`a.${'x'.repeat(300)}`, `a.${'x'.repeat(238)}`, 'has no extension when that is over-long too'],
    [`${'x'.repeat(230)}${' '.repeat(20)}y`, 'x'.repeat(230), 'does not end in a space once it is cut'],
    [`${' '.repeat(300)}x`, '', 'is nothing when the cut leaves spaces only'],
  ] as const)('%j → %j: %s', ([given, expected]) => {
    expect(safeElement(given, false)).toBe(expected);
  });

  test('gets _ for what Windows alone refuses when asked', () => {
    expect(safeElement('C:a<b>"c"|d?e*', true)).toBe('C_a_b__c__d_e_');
  });

  test('takes time in proportion to its length', () => {
    const started = performance.now();
    for (const part of ['. ', '\u200d', 'é\u200d', '\u202e', 'a.', '/', '\ufffd']) {
      safeElement(part.repeat(1_000_000), true);
      safeElement(`${part.repeat(1_000_000)}x`, true);
    }
    // A quadratic step would take minutes.
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('clients 61: names that some system takes for the same', () => {
  test.for([
    ['README', 'readme'],
    ['Grün', 'GRÜN'],
    ['é', 'e\u0301'],
    ['É', 'e\u0301'],
    ['ΣΑΣ', 'σας'],
  ] as const)('%s and %s fold to one', ([a, b]) => {
    expect(foldedElement(a)).toBe(foldedElement(b));
  });

  test('ß and ss stay two', () => {
    expect(foldedElement('Maße')).not.toBe(foldedElement('Masse'));
  });

  test.for([
    ['a.txt', 1, 'a.1.txt'],
    ['a', 12, 'a.12'],
    ['.hidden', 3, '.hidden.3'],
    ['a.tar.gz', 2, 'a.tar.2.gz'],
    ['x'.repeat(240), 500, `${'x'.repeat(236)}.500`],
    [`${'x'.repeat(236)}.mp3`, 7, `${'x'.repeat(234)}.7.mp3`],
  ] as const)('%s numbered %i is %s', ([name, n, expected]) => {
    expect(numberedElement(name, n)).toBe(expected);
  });
});
