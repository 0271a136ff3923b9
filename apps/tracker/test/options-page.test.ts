// OPTIONS.md against the command it is about. What is printed by a failure is what belongs in the file.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { defaultText } from '../src/configuration/configuration-file.ts';
import { settingGroups, settings, writtenName } from '../src/configuration/settings.ts';
import { exitCodes, exitMeanings, type ExitName } from '../src/errors.ts';

const text = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');

/** A row for each option under its heading, as a table of Markdown. */
function optionTable(): string {
  const rows = Object.entries(settingGroups).flatMap(([heading, names]) => [
    `| **${heading}** | | |`,
    ...names.map((name) => {
      const { about, argument, live, repeatable } = settings[name];
      const notes = [about, repeatable ? 'repeatable' : undefined, live ? undefined : 'needs a restart'];
      const text = notes
        .filter((note) => note !== undefined)
        .join('; ')
        .replaceAll('|', '\\|');
      const value = argument === undefined ? '' : ` ${argument.replaceAll('|', '\\|')}`;
      return `| \`${writtenName(name)}${value}\` | \`${defaultText(name).replaceAll('"', '')}\` | ${text} |`;
    }),
  ]);
  return ['| Option | Default | |', '|---|---|---|', ...rows].join('\n');
}

describe('OPTIONS.md', () => {
  test('has every option, its default and its meaning as the command has them', () => {
    expect(text('OPTIONS.md')).toContain(optionTable());
  });

  test('has every exit code as the command has them', () => {
    const rows = Object.entries(exitMeanings).map(
      ([name, text]) => `| ${exitCodes[name as ExitName]} | ${name} | ${text} |`,
    );
    expect(text('OPTIONS.md')).toContain(rows.join('\n'));
  });
});

test('README.md is no longer than 150 lines', () => {
  expect(text('README.md').split('\n').length).toBeLessThanOrEqual(151);
});
