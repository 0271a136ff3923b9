import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import { parsePeers, parseScenario, parseSeconds, parseSeed, parseSize } from '../src/arguments.ts';
import { exitCodes, exitMeanings, exitOfChild } from '../src/exit-codes.ts';

describe('the command line', () => {
  test.each([
    [parseSize, '16KiB', 16_384],
    [parseSize, '4M', 4_194_304],
    [parseSize, '1.5g', 1_610_612_736],
    [parseSize, '32768', 32_768],
    [parsePeers, '200', 200],
    [parseSeconds, '0.5', 0.5],
    [parseSeed, '-7', -7],
    [parseScenario, 'trickle', 'trickle'],
  ])('%o understands %s', (parse, text, value) => {
    expect(parse(text)).toBe(value);
  });

  test.each([
    [parseSize, '0'],
    [parseSize, '16 bananas'],
    [parseSize, '-1'],
    [parsePeers, '0'],
    [parsePeers, '201'],
    [parsePeers, '4.5'],
    [parseSeconds, '0'],
    [parseSeconds, '1e3'],
    [parseSeconds, '2147484'],
    [parseSeed, '9007199254740993'],
    [parseSeed, 'one'],
    [parseScenario, 'toString'],
  ])('%o refuses %s', (parse, text) => {
    expect(() => parse(text)).toThrow(InvalidArgumentError);
  });
});

describe('exit codes', () => {
  test('are all explained', () => {
    expect(exitMeanings.map(([name]) => name)).toEqual(Object.keys(exitCodes));
  });

  test.each([
    [8, 'network'],
    [5, 'disk'],
    [1, 'other'],
    [2, 'other'],
    [77, 'other'],
    [null, 'other'],
  ])('of a child that ended with %s are passed on as %s', (code, name) => {
    expect(exitOfChild(code)).toBe(name);
  });
});
