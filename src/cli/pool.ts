/** `dkv pool`: experiments of several models or training seeds, taken together. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { DkvError } from '../base/errors.js';
import type { PooledRuns } from '../report/pool.js';
import { ASKED_TWICE, describeLeftOut, NO_GAINS, NOT_IN_ALL, type PoolLeftOut } from '../report/pool-left-out.js';
import type { PoolableRun } from '../report/poolable.js';
import type { FinishedRun } from '../runs/schema/run.js';
import { pooledRunsSchema, poolLeftOutSchema } from '../wire/runs.js';
import { jsonLine } from './json.js';
import { withOutput } from './output.js';
import { sayNotice } from './terminal.js';

interface PoolCommandOptions {
  readonly trainingSeeds: boolean;
  readonly output?: string;
  readonly json: boolean;
}

export function poolCommand(): Command {
  return new Command('pool')
    .description('Take finished runs of one experiment together, one a model or training seed.')
    .argument('<folders...>', 'two run folders or more, or two folders of run folders or more, one a model')
    .option(
      '--training-seeds',
      'the models were trained by one recipe and differ by its seed; the built-in model may be one of them',
      false,
    )
    .option('--output <file>', 'write Markdown (or, with --json, JSON) to a file instead of the terminal')
    .option('--json', 'for machines, one line an experiment, those left out behind the others', false)
    .addHelpText(
      'after',
      `
The runs are of the same experiment, protocol and data, each of another model, with their trials, from which all numbers are made.
Others are refused, and so are imported runs, one model at two precisions, and the built-in model beside others. Each comparison
has its trimmed mean in every unit, and the signs. Of five units and more there is a mean over units (random effects) with the
interval in which another unit's effect would lie. The seed of a run, "dkv run --seed", draws its samples and is the same in all units.

Of folders of run folders, as "dkv run all --out FOLDER" makes them, every experiment that all have is taken together, and the
comparisons that experiments named beforehand stand in one table. A run that a folder holds twice, copied or made anew, counts once.

Examples:
  dkv pool results/270m results/1b results/4b results/flan-base results/flan-large
  dkv pool --training-seeds results/built-in/exp02 results/seed1/exp02 results/seed2/exp02
  dkv pool --training-seeds results/built-in results/seed1 results/seed2 --output seeds.md
  dkv pool results/270m results/1b --json`,
    )
    .action(pool);
}

async function pool(folders: readonly string[], { trainingSeeds, output, json }: PoolCommandOptions): Promise<void> {
  const { readRun } = await import('../runs/run-folder.js');
  const { poolRuns } = await import('../report/pool.js');
  const { CountedRuns } = await import('../report/counted-runs.js');
  const { pooledMarkdown, pooledText } = await import('../report/pool-text.js');
  const { together, leftOut } = await runsOf(folders);
  const pooled: PooledRuns[] = [];
  const models = new Map<string, string>();
  const counted = new CountedRuns();
  for (const directories of together) {
    const runs: PoolableRun[] = [];
    for (const directory of directories) runs.push({ directory, run: await readRun(directory) });
    const configurationOf = (f: number) => runs[f]!.run.summary.configuration;
    if (together.length > 1) {
      expectOneModel(folders, runs, models);
      const twice = folders.findIndex((folder, f) => counted.sameAs(folder, configurationOf(f)) !== undefined);
      if (twice >= 0) {
        const before = counted.sameAs(folders[twice]!, configurationOf(twice));
        leftOut.push({ experiment: path.basename(directories[twice]!), leftOut: ASKED_TWICE, sameAs: before! });
        continue;
      }
      for (const [f, folder] of folders.entries()) counted.count(folder, directories[f]!, configurationOf(f));
    }
    const { id, unit } = runs[0]!.run.summary.configuration.experiment;
    if (together.length > 1 && unit !== 'sample') {
      leftOut.push({ experiment: id, leftOut: NO_GAINS });
    } else pooled.push(poolRuns(runs, { seeds: trainingSeeds }));
  }
  await withOutput(output ?? '-', '--output', async (target) => {
    if (json) {
      describeLeftOut(leftOut).forEach(sayNotice);
      for (const one of pooled) await target.write(jsonLine(pooledRunsSchema, one));
      for (const one of leftOut) await target.write(jsonLine(poolLeftOutSchema, one));
    } else await target.write((output === undefined ? pooledText : pooledMarkdown)(pooled, describeLeftOut(leftOut)));
  });
}

/**
 * A folder of run folders is a unit, and so of one model.
 * @param models name and precision by folder, of the runs before
 * @throws DkvError INPUT_INVALID
 */
function expectOneModel(
  folders: readonly string[],
  runs: readonly { readonly directory: string; readonly run: Pick<FinishedRun, 'summary'> }[],
  models: Map<string, string>,
): void {
  for (const [f, folder] of folders.entries()) {
    const { directory, run } = runs[f]!;
    const { name, precision } = run.summary.configuration.model;
    const model = `${name} in ${precision}`;
    const before = models.get(folder) ?? model;
    if (before !== model) {
      throw new DkvError(
        'INPUT_INVALID',
        `${directory} is a run of ${model}, those of ${folder} before it are of ${before}. A folder of run folders is of one model.`,
      );
    }
    models.set(folder, model);
  }
}

/**
 * The run folders that are taken together, unit by unit: the given ones, or of folders of runs those of one name.
 * @throws DkvError INPUT_INVALID for run folders beside folders of runs, and folders that have no run in common
 */
async function runsOf(folders: readonly string[]): Promise<{ together: string[][]; leftOut: PoolLeftOut[] }> {
  const inside = await Promise.all(folders.map(runsIn));
  const holder = inside.findIndex((names) => names.length > 0);
  // One that is neither is refused where it is read.
  if (holder < 0) return { together: [[...folders]], leftOut: [] };
  const other = inside.findIndex((names) => names.length === 0);
  if (other >= 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `${folders[holder]} holds run folders, and ${folders[other]} does not. Give run folders alone, or folders of run folders alone.`,
    );
  }
  const all = [...new Set(inside.flat())].sort();
  const common = all.filter((name) => inside.every((names) => names.includes(name)));
  if (common.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `No run folder is in all of ${folders.join(', ')}: they hold ${all.slice(0, 5).join(', ')}. Runs are taken together by the name of their folder.`,
    );
  }
  return {
    together: common.map((name) => folders.map((folder) => path.join(folder, name))),
    leftOut: all.filter((name) => !common.includes(name)).map((experiment) => ({ experiment, leftOut: NOT_IN_ALL })),
  };
}

async function isRun(folder: string): Promise<boolean> {
  const { RECORD_FILE } = await import('../runs/schema/record.js');
  return (await stat(path.join(folder, RECORD_FILE)).catch(() => undefined))?.isFile() ?? false;
}

/** Names of the run folders in a folder; none of a run folder. */
async function runsIn(folder: string): Promise<string[]> {
  if (await isRun(folder)) return [];
  const names = await readdir(folder).catch((): string[] => []);
  const found = await Promise.all(names.map(async (name) => ((await isRun(path.join(folder, name))) ? [name] : [])));
  return found.flat();
}
