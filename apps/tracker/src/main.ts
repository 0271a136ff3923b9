#!/usr/bin/env node
// Starts the shoal-tracker command. Compiled code is not kept: a tracker starts once in months, and Node's own place
// for it is a folder that every user of the machine may write to.
import { setFlagsFromString } from 'node:v8';
import { main } from './command.ts';

// V8 would learn from one busy moment that connections live long, and from then on make everything of theirs among the
// old objects, which only long collections free: measured, a seventh of what a connection for each announce costs.
setFlagsFromString('--no-allocation-site-pretenuring');
process.exitCode = await main(process.argv);
