/** `dkv pool`: one experiment of several models or training seeds, taken together. */

import { Command } from 'commander';
import { pooledRunsSchema } from '../wire/runs.js';
import { jsonLine } from './json.js';
import { withOutput } from './output.js';

interface PoolCommandOptions {
  readonly seeds: boolean;
  readonly output?: string;
  readonly json: boolean;
}

export function poolCommand(): Command {
  return new Command('pool')
    .description('Take finished runs of one experiment together, one a model or training seed.')
    .argument('<runs...>', 'two run folders or more, with their trials')
    .option('--seeds', 'the models are training seeds of one recipe; the built-in model may be one of them', false)
    .option('--output <file>', 'write Markdown (or, with --json, JSON) to a file instead of the terminal')
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
The runs are of the same experiment, protocol and data, each of another model: others are refused, and so are imported runs and the
built-in model beside others. Of five units and more there is a mean over units (random effects, Hartung and Knapp) with the
interval in which another unit's effect would lie; of fewer the effects and their signs alone.

Examples:
  dkv pool results/270m results/1b results/4b results/flan-base results/flan-large
  dkv pool --seeds results/built-in/exp02 results/seed1/exp02 results/seed2/exp02 --output seeds.md
  dkv pool results/270m results/1b --json`,
    )
    .action(pool);
}

async function pool(directories: readonly string[], { seeds, output, json }: PoolCommandOptions): Promise<void> {
  const { readRun } = await import('../runs/run-folder.js');
  const { poolRuns, pooledMarkdown } = await import('../report/pool.js');
  const runs = [];
  for (const directory of directories) runs.push({ directory, run: await readRun(directory) });
  const pooled = poolRuns(runs, { seeds });
  await withOutput(output ?? '-', '--output', (target) =>
    target.write(json ? jsonLine(pooledRunsSchema, pooled) : pooledMarkdown(pooled)),
  );
}
