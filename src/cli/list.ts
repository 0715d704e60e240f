/** `dkv list`: what there is to run. */

import { Command } from 'commander';
import { openDataset, openPools } from '../datasets/open.js';
import { listedExperimentSchema } from '../wire/runs.js';
import { printJson } from './json.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { interruptSignal } from './terminal.js';

interface ListOptions extends ModelOptions {
  readonly estimate: boolean;
  readonly json: boolean;
}

export function listCommand(): Command {
  const experiments = new Command('experiments')
    .description(
      'What each experiment asks, on what data; with --estimate also how many forward passes and about how long here.',
    )
    .option('--estimate', 'load the model and reckon passes and time', false)
    .option('--json', 'one JSON object a line', false);
  addModelOptions(experiments)
    .addHelpText(
      'after',
      `
With --estimate passes and time are reckoned for the built-in data at the protocol's number of samples, from the inputs of a few samples and this model's
speed on this machine. In brackets: passes of an encoder that runs once for each condition.

Examples:
  dkv list experiments
  dkv list experiments --estimate --model google/t5gemma-2-270m-270m`,
    )
    .action(listExperiments);
  return new Command('list').description('List what there is to run.').addCommand(experiments);
}

const SAMPLES = 4;
const SPEED_SAMPLES = 8;

async function listExperiments(options: ListOptions): Promise<void> {
  if (options.estimate) await listEstimates(options);
  else await listQuestions(options.json);
}

async function listQuestions(json: boolean): Promise<void> {
  const { EXPERIMENTS } = await import('../experiments/catalogue/registry.js');
  const listed = Object.values(EXPERIMENTS).map(({ id, question, protocol: { dataset, samples } }) => ({
    id,
    question,
    dataset,
    samples,
  }));
  if (json) {
    for (const experiment of listed) printJson(listedExperimentSchema, experiment);
    return;
  }
  const rows = listed.map(({ id, question, dataset, samples }) => [id, question, dataset, String(samples)]);
  await printTable(['experiment', 'question', 'data', 'N'], rows, 3);
}

/** @param textColumns those before the numbers */
async function printTable(titles: readonly string[], rows: string[][], textColumns: number): Promise<void> {
  const { renderText } = await import('../report/tables/table.js');
  const columns = titles.map((title, i) => ({ title, numeric: i >= textColumns }));
  process.stdout.write(`${renderText({ columns, rows })}\n`);
}

async function listEstimates(options: ListOptions): Promise<void> {
  const { EXPERIMENTS } = await import('../experiments/catalogue/registry.js');
  const { refusalOf } = await import('../experiments/plan/conditions.js');
  const { segmentsOf } = await import('../priming/input.js');
  const { estimateRun, rowsPerSecond } = await import('../experiments/run/estimate.js');
  const model = await openModel(options, interruptSignal());
  try {
    const request = { seed: 42, count: SPEED_SAMPLES };
    const speed = await rowsPerSecond(EXPERIMENTS.exp01!, await openDataset('adworld', request), model);
    const rows: string[][] = [];
    for (const experiment of Object.values(EXPERIMENTS)) {
      const { id, question, unit, protocol, seed, rule, padding, target } = experiment;
      const refusal = refusalOf(experiment, segmentsOf(model.tokenizer));
      if (refusal) {
        process.stderr.write(`${id} is left out: ${refusal.message}\n`);
        continue;
      }
      const wanted = { seed, count: SAMPLES };
      const data =
        unit === 'pool'
          ? await openPools('adworld', { ...wanted, answers: target === 'answer' })
          : await openDataset('adworld', { ...wanted, rule, padding: Math.min(padding, 500) });
      const estimate = await estimateRun(experiment, data, model);
      const seconds = Math.round(estimate.rows / speed);
      if (options.json) {
        const { samples, dataset } = protocol;
        const { naive_encoder: naiveEncoder, ...passes } = estimate;
        printJson(listedExperimentSchema, { id, question, dataset, samples, ...passes, naiveEncoder, seconds });
      }
      rows.push([
        id,
        question,
        protocol.dataset,
        String(protocol.samples),
        `${estimate.encoder} (${estimate.naive_encoder})`,
        String(estimate.decoder),
        duration(seconds),
      ]);
    }
    if (options.json) return;
    const titles = ['experiment', 'question', 'data', 'N', 'encoder passes', 'decoder passes', 'time here'];
    await printTable(titles, rows, 3);
  } finally {
    await model.close();
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
