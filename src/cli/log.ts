/** `dkv log`: the log of all results below a folder. */

import { Command } from 'commander';
import { runLogSchema } from '../wire/runs.js';
import { jsonLine } from './json.js';
import { withOutput } from './output.js';

interface LogCommandOptions {
  readonly output?: string;
  readonly json: boolean;
}

export function logCommand(): Command {
  return new Command('log')
    .description('List all runs below a folder, one row each, from their records.')
    .argument('[folder]', 'where runs are', 'results')
    .option('--output <file>', 'write Markdown (or, with --json, JSON) to a file instead of the terminal')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
Unfinished runs, and runs of an older format, are listed with the reason why they are not read.

Examples:
  dkv log
  dkv log results --output docs/experiment-log.md
  dkv log results --json`,
    )
    .action(log);
}

async function log(folder: string, { output, json }: LogCommandOptions): Promise<void> {
  const { collectRuns, logMarkdown } = await import('../report/log.js');
  const found = await collectRuns(folder);
  await withOutput(output ?? '-', '--output', (target) =>
    target.write(json ? jsonLine(runLogSchema, found) : logMarkdown(found)),
  );
}
