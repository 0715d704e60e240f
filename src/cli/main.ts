#!/usr/bin/env node
/** The command `dkv`: finds the subcommand, and turns whatever it throws into one line and an exit status. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { DkvError } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { dataCommand } from './data.js';
import { demoCommand } from './demo.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { importCommand } from './import.js';
import { listCommand } from './list.js';
import { logCommand } from './log.js';
import { modelsCommand } from './models.js';
import { primeCommand } from './prime.js';
import { rankCommand } from './rank.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { sanityCommand } from './sanity.js';
import { scoreCommand } from './score.js';
import { storeCommand } from './store.js';
import { guardTerminal, hearSignals, hearStandardOutput, paint, standardOutputWritten } from './terminal.js';
import { addUmaskOption, keepFilesPrivate } from './umask.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

keepFilesPrivate();
guardTerminal();

const program = new Command('dkv')
  .description('Directed KV caches: prime documents with surrogate queries and measure what the decoder gains.')
  .version(version)
  .showHelpAfterError('(--help shows what is expected)')
  .addHelpText(
    'after',
    `
Examples:
  dkv run exp01                      Experiment 01 on the built-in model and data
  dkv score --input lines.jsonl      NLL of targets given documents, one JSON line each
  dkv data adworld --count 3         look at the built-in data`,
  );
for (const command of [
  demoCommand(),
  runCommand(),
  listCommand(),
  reportCommand(),
  compareCommand(),
  logCommand(),
  importCommand(),
  scoreCommand(),
  primeCommand(),
  rankCommand(),
  evaluateCommand(),
  storeCommand(),
  modelsCommand(),
  dataCommand(),
  doctorCommand(),
  sanityCommand(),
  completionCommand(program),
]) {
  program.addCommand(command);
}

/** A command line that cannot be understood is the user's to mend, like any other wrong input. */
const USAGE_EXIT_CODE = 2;

for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
  command.exitOverride();
  if (command.commands.length === 0) addUmaskOption(command);
}

hearStandardOutput();
// A terminal that was closed: there is nobody to tell either, but what is being made is ended properly.
process.stderr.on('error', () => undefined);
hearSignals();

try {
  await program.parseAsync();
  await standardOutputWritten();
} catch (error) {
  process.exitCode = report(error);
}

function report(thrown: unknown): number {
  const { path: file = '', syscall = '' } = thrown as NodeJS.ErrnoException;
  const error = fileError(thrown, file || syscall);
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
  if (error instanceof DkvError) {
    process.stderr.write(`${paint('red', 'error', process.stderr)} ${error.code}: ${error.message}\n`);
    return error.exitCode;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.stderr.write('This is a defect of directed-kvcache: please report it with the lines above.\n');
  return 1;
}
