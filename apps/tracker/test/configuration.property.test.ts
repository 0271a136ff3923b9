import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfiguration, printConfiguration } from '../src/configuration/configuration-file.ts';
import { type ServeOptions, defaults } from '../src/configuration/settings.ts';
import { ConfigurationError } from '../src/errors.ts';

const listen = fc.oneof(
  fc.constant('off' as const),
  fc.record({ host: fc.oneof(fc.ipV4(), fc.domain(), fc.constant('::1')), port: fc.nat(65_535) }),
);
const path = fc.string({ unit: 'grapheme', minLength: 1 }).map((name) => `/${name.replaceAll(/[/.\0]/g, '')}x`);
const optionalPath = fc.option(path, { nil: undefined });

const options = fc.record({
  http: listen,
  udp: listen,
  trustedProxy: fc.array(fc.oneof(fc.ipV4(), fc.constant('10.0.0.0/8'))),
  trustIp: fc.boolean(),
  allow: optionalPath,
  ban: optionalPath,
  interval: fc.integer({ min: 1, max: 86_400 }),
  minInterval: fc.option(fc.integer({ min: 0, max: 86_400 }), { nil: undefined }),
  privateAddresses: fc.constantFrom('listed' as const, 'refused' as const),
  logLevel: fc.constantFrom('silent' as const, 'debug' as const),
});

describe('a configuration', () => {
  test('that is printed reads the same again, whatever is in its strings', () => {
    fc.assert(
      fc.property(options, (some) => {
        const all: ServeOptions = { ...defaults, ...some };
        expect({ ...defaults, ...parseConfiguration(printConfiguration(all), '/t.toml') }).toEqual(all);
      }),
    );
  });

  test('of any text is options or an error that names the file', () => {
    const line = fc
      .tuple(fc.constantFrom('http', 'interval', 'allow', '"a b"', 'x.y'), fc.string())
      .map((parts) => parts.join(' = '));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join('\n')),
        ),
        (text) => {
          try {
            parseConfiguration(text, '/t.toml');
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigurationError);
            expect((error as Error).message).toContain('/t.toml');
          }
        },
      ),
    );
  });
});
