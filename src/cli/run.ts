/** `dkv run`: runs an experiment, prints its table and writes its reports. */
import path from 'node:path';
import { Command } from 'commander';
import { DATASETS, openDataset, openPools } from '../datasets/open.js';
import { DkvError } from '../errors.js';
import { EXPERIMENTS } from '../experiments/registry.js';
import { addModelOptions, integer, type ModelOptions, openModel, positiveInteger } from './model-options.js';
import { interruptSignal, Progress, paint } from './terminal.js';

interface RunCommandOptions extends ModelOptions {
  readonly dataset: string;
  readonly n?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly resume: boolean;
  readonly json: boolean;
}

export function runCommand(): Command {
  const command = new Command('run')
    .description('Run an experiment and write its reports.')
    .argument('<experiment>', `one of: ${Object.keys(EXPERIMENTS).join(', ')}`)
    .option('--dataset <name>', DATASETS, 'adworld')
    .option('--n <n>', "number of samples (default: the protocol's)", positiveInteger)
    .option('--seed <n>', "seed of samples and bootstrap (default: the protocol's)", integer)
    .option('--out <folder>', 'run folder (default: results/<experiment>)')
    .option('--resume', 'go on with an interrupted run, or start one if the folder is empty', false)
    .option('--json', 'print the summary as JSON instead of a table', false);
  return addModelOptions(command)
    .addHelpText(
      'after',
      `
The run folder gets run.json (what was run), trials.jsonl (every NLL), summary.json, report.md and report.html.
Ctrl-C stops cleanly; --resume goes on, also after a crash.

Examples:
  dkv run exp01
  dkv run exp01 --n 60 --out results/try
  dkv run exp01 --model google/t5gemma-2-270m-270m --dataset xquad.en.json --resume`,
    )
    .action(run);
}

async function run(id: string, options: RunCommandOptions): Promise<void> {
  const declared = EXPERIMENTS[id];
  if (!declared) {
    throw new DkvError(
      'INPUT_INVALID',
      `There is no experiment "${id}"; there are: ${Object.keys(EXPERIMENTS).join(', ')}.`,
    );
  }
  const experiment = { ...declared, seed: options.seed ?? declared.seed };
  const directory = path.resolve(options.out ?? path.join('results', id));
  // Statistics and plots take most of a second to load: only who runs an experiment waits for them.
  const { runExperiment } = await import('../experiments/run.js');
  const { shortGainTable, warnings } = await import('../report/comparisons.js');
  const { writeReports } = await import('../report/report.js');
  const { renderText } = await import('../report/table.js');

  const signal = interruptSignal();
  const count = options.n ?? experiment.protocol.samples;
  const { seed, rule, padding } = experiment;
  const dataset =
    experiment.unit === 'pool'
      ? await openPools(options.dataset, { seed, count, answers: experiment.target === 'answer' })
      : await openDataset(options.dataset, { seed, count, rule, padding });
  const found = 'pools' in dataset ? dataset.pools.length : dataset.samples.length;
  if (found < count) {
    const things = 'pools' in dataset ? 'pools' : 'samples';
    process.stderr.write(`${options.dataset} has ${found} ${things}, not ${count}: all are taken.\n`);
  }
  const model = await openModel(options, signal);
  const progress = new Progress(id, 'samples');
  try {
    const summary = await runExperiment(experiment, dataset, model, {
      directory,
      resume: options.resume,
      maxTokens: options.maxLength,
      signal,
      onProgress: ({ doneSamples, totalSamples, resumedSamples }) =>
        progress.update(doneSamples, totalSamples, resumedSamples),
    });
    progress.end();
    const files = await writeReports(directory, summary);
    if (options.json) {
      process.stdout.write(`${JSON.stringify(summary)}\n`);
      return;
    }
    process.stdout.write(`${paint('bold', `${experiment.id}: ${experiment.title}`)}\n${experiment.question}\n\n`);
    process.stdout.write(`${renderText(shortGainTable(summary))}\n\n`);
    for (const warning of warnings(summary)) process.stdout.write(`${paint('yellow', warning)}\n`);
    process.stdout.write(`\nReport: ${files.map((file) => path.relative('.', file)).join(', ')}\n`);
  } catch (error) {
    progress.end();
    if (error instanceof DkvError && error.code === 'CANCELLED') {
      throw new DkvError('CANCELLED', `Stopped; what was done is kept in ${directory}. Add --resume to go on.`);
    }
    throw error;
  } finally {
    await model.close();
  }
}
