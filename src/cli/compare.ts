/** `dkv compare`: several runs side by side. */

import { Command } from 'commander';
import { runComparisonSchema } from '../wire/runs.js';
import { jsonLine } from './json.js';
import { withOutput } from './output.js';

interface CompareCommandOptions {
  readonly output?: string;
  readonly json: boolean;
}

export function compareCommand(): Command {
  return new Command('compare')
    .description('Compare finished runs across models, protocols or datasets.')
    .argument('<runs...>', 'two run folders or more')
    .option('--output <file>', 'write Markdown (or, with --json, JSON) to a file instead of the terminal')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
Conditions are aligned by what they do; effects stand side by side with their intervals, below what differs between the
runs. Runs of the built-in model are not compared with those of another model.

Examples:
  dkv compare results/exp01 results/exp01-270m
  dkv compare results/exp02 results/v4-01 --output comparison.md
  dkv compare results/exp01 results/exp02 --json`,
    )
    .action(compare);
}

async function compare(directories: readonly string[], { output, json }: CompareCommandOptions): Promise<void> {
  const { readSummary } = await import('../runs/run-folder.js');
  const { compareRuns, comparisonMarkdown } = await import('../report/compare.js');
  const runs = [];
  for (const directory of directories) runs.push({ directory, summary: (await readSummary(directory)).summary });
  const comparison = compareRuns(runs);
  await withOutput(output ?? '-', '--output', (target) =>
    target.write(json ? jsonLine(runComparisonSchema, comparison) : comparisonMarkdown(comparison)),
  );
}
