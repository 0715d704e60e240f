/** `dkv log`: the log of all results below a folder. */

import path from 'node:path';
import { Command } from 'commander';
import { runLogSchema } from '../wire/runs.js';
import { jsonLine } from './json.js';
import { withOutput } from './output.js';

interface LogCommandOptions {
  readonly output?: string;
  readonly markdown: boolean;
  readonly json: boolean;
}

export function logCommand(): Command {
  return new Command('log')
    .description('List all runs below a folder, one row each, from their records.')
    .argument('[folder]', 'where runs are', 'results')
    .option(
      '--output <file>',
      'write to a file instead of the terminal: Markdown, a page with links to reports (.html), with --json JSON',
    )
    .option('--markdown', 'Markdown with all columns on a terminal too, as a pipe and a file get it', false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
A terminal gets the columns that fit into its width.
Unfinished runs, and runs of an older format, are listed with the reason why they are not read.

Examples:
  dkv log
  dkv log results --output docs/experiment-log.md
  dkv log results --output results/index.html
  dkv log results --json`,
    )
    .action(log);
}

async function log(folder: string, { output, markdown, json }: LogCommandOptions): Promise<void> {
  const { collectRuns, logHtml, logMarkdown } = await import('../report/log.js');
  const found = await collectRuns(folder);
  const { logText } = await import('../report/log-text.js');
  const shown = () => {
    if (output?.endsWith('.html')) return logHtml(found, folder, path.dirname(output));
    const { isTTY, columns } = process.stdout;
    return isTTY && !markdown && output === undefined ? logText(found, columns) : logMarkdown(found);
  };
  await withOutput(output ?? '-', '--output', (target) => target.write(json ? jsonLine(runLogSchema, found) : shown()));
}
