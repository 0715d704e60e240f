/** What `dkv` understands: finds the subcommand, and turns whatever it throws into one line and an exit status. Knows of no process around it. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { DkvError } from '../base/errors.js';
import { fileError } from '../base/files.js';
import { compareCommand } from './compare.js';
import { completionCommand } from './completion.js';
import { dataCommand } from './data.js';
import { demoCommand } from './demo.js';
import { devicesCommand } from './devices.js';
import { doctorCommand } from './doctor.js';
import { evaluateCommand } from './evaluate.js';
import { fleetCommand } from './fleet.js';
import { importCommand } from './import.js';
import { initCommand } from './init.js';
import { keysCommand } from './keys.js';
import { listCommand } from './list.js';
import { logCommand } from './log.js';
import { modelsCommand } from './models.js';
import { planCommand } from './plan.js';
import { poolCommand } from './pool.js';
import { primeCommand } from './prime.js';
import { rankCommand } from './rank.js';
import { reportCommand } from './report.js';
import { runCommand } from './run.js';
import { sanityCommand } from './sanity.js';
import { scoreCommand } from './score.js';
import { serveCommand } from './serve.js';
import { storeCommand } from './store.js';
import { paint, standardOutputWritten } from './terminal.js';
import { addUmaskOption } from './umask.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

/** The exit status for a command line that cannot be understood, which the user can correct like any other wrong input. */
const USAGE_EXIT_CODE = 2;

/**
 * Does what a command line asks for and says on standard error what went wrong; the exit status is left in `process.exitCode`.
 * @param args what stands behind `dkv`
 */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(args, { from: 'user' });
    await standardOutputWritten();
  } catch (error) {
    process.exitCode = report(error);
  }
}

/** The commands with their options, before a command line is parsed. */
export function program(): Command {
  const made = new Command('dkv')
    .description('Directed KV caches: prime documents with surrogate queries and measure what the decoder gains.')
    .version(version, '-V')
    .version(version, '-v, --version')
    .showHelpAfterError('(--help shows what is expected)')
    .addHelpText(
      'after',
      `
Examples:
  dkv init                           begin with data of your own
  dkv run exp01                      Experiment 01 on the built-in model and data
  dkv score --input lines.jsonl      NLL of targets given documents, one JSON line each
  dkv data adworld --count 3         look at the built-in data`,
    );
  for (const command of [
    demoCommand(),
    initCommand(),
    planCommand(),
    runCommand(),
    listCommand(),
    reportCommand(),
    compareCommand(),
    poolCommand(),
    logCommand(),
    importCommand(),
    scoreCommand(),
    primeCommand(),
    rankCommand(),
    evaluateCommand(),
    serveCommand(),
    storeCommand(),
    keysCommand(),
    fleetCommand(),
    modelsCommand(),
    dataCommand(),
    devicesCommand(),
    doctorCommand(),
    sanityCommand(),
    completionCommand(made),
  ]) {
    made.addCommand(command);
  }

  for (const command of [made, ...made.commands, ...made.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride();
    if (command.commands.length === 0) addUmaskOption(command);
  }

  return made;
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
