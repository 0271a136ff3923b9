#!/usr/bin/env node
// Starts the shoal-tracker command. Compiled code is not kept: a tracker starts once in months, and Node's own place
// for it is a folder that every user of the machine may write to.
import { main } from './command.ts';

process.exitCode = await main(process.argv);
