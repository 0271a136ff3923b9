// Finds the commands the swarm is made of: those of the packages installed beside this one, whatever is on the PATH.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type AppName = 'shoal' | 'shoal-tracker';

/** Path of the script that Node runs. */
export function scriptOf(app: AppName): string {
  const url = import.meta.resolve(`${app}/package.json`);
  const manifest = JSON.parse(readFileSync(fileURLToPath(url), 'utf8')) as { bin: Record<string, string> };
  const script = manifest.bin[app];
  if (script === undefined) throw new Error(`the package ${app} has no command of that name`);
  return fileURLToPath(new URL(script, url));
}
