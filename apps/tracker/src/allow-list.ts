// The file of info-hashes that a closed tracker serves: one of 40 hex digits a line, comments after #.
import { readFile } from 'node:fs/promises';
import { ConfigurationError } from './errors.ts';

/** Reads an allow list into lower-case hex. @throws ConfigurationError naming file and line */
export async function readAllowList(file: string): Promise<ReadonlySet<string>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigurationError(`cannot read the allow list ${file}: ${reason}`, { cause });
  }
  return parseAllowList(text, file);
}

/** Reads the text of an allow list; `file` is for messages. @throws ConfigurationError naming file and line */
export function parseAllowList(text: string, file: string): ReadonlySet<string> {
  const hashes = new Set<string>();
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    if (!/^[0-9a-f]{40}$/i.test(entry)) {
      throw new ConfigurationError(
        `${file}:${index + 1}: not an info-hash of 40 hexadecimal digits: ${JSON.stringify(entry.slice(0, 80))}`,
      );
    }
    hashes.add(entry.toLowerCase());
  }
  return hashes;
}
