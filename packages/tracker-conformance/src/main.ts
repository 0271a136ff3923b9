#!/usr/bin/env node
// Starts the shoal-tracker-conformance command.
import { main } from './command.ts';

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
});
