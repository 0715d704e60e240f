#!/usr/bin/env node
/** The command `dkv`: a process whose streams, signals and rights are made ready for what it is asked to do. */
import { runProgram } from './program.js';
import { guardTerminal, hearSignals, hearStandardOutput } from './terminal.js';
import { keepFilesPrivate } from './umask.js';

keepFilesPrivate();
guardTerminal();
hearStandardOutput();
// A terminal that was closed: there is nobody to tell either, but what is being made is ended properly.
process.stderr.on('error', () => undefined);
hearSignals();

await runProgram(process.argv.slice(2));
