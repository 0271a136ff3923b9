#!/usr/bin/env node
// Starts the shoal command with compiled code kept from its last run: most of the start-up time is compiling.
import { enableCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { compileCacheFolder } from './compile-cache.ts';

// Where it cannot be kept, nothing is said and nothing is slower: measured, it saves 23 ms of 0.2 s.
enableCompileCache(compileCacheFolder());
// V8 would let the space of new objects grow from 1 to 48 MB, though hardly anything here lives longer than a read:
// measured at full speed, a download peaks at 113 MB instead of 140 for 2 % more CPU time.
setFlagsFromString('--semi-space-growth-factor=1');
const { main } = await import('./command.ts');
process.exitCode = await main(process.argv);
