#!/usr/bin/env node
// Starts the shoal command with compiled code kept from its last run: most of the start-up time is compiling.
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { main } = await import('./command.ts');
process.exitCode = await main(process.argv);
