/** `dkv list`: what there is to run. */
import { Command } from 'commander';
import { openDataset, openPools } from '../datasets/open.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { interruptSignal } from './terminal.js';

interface ListOptions extends ModelOptions {
  readonly json: boolean;
}

export function listCommand(): Command {
  const experiments = new Command('experiments')
    .description(
      'What each experiment asks, on what data, with how many forward passes, and about how long it takes here.',
    )
    .option('--json', 'one JSON object a line', false);
  addModelOptions(experiments)
    .addHelpText(
      'after',
      `
Passes and time are reckoned for the built-in data at the protocol's number of samples, from the inputs of a few samples and this model's
speed on this machine. In brackets: passes of an encoder that runs once for each condition.

Examples:
  dkv list experiments
  dkv list experiments --model google/t5gemma-2-270m-270m`,
    )
    .action(listExperiments);
  return new Command('list').description('List what there is to run.').addCommand(experiments);
}

const SAMPLES = 4;
const SPEED_SAMPLES = 8;

async function listExperiments(options: ListOptions): Promise<void> {
  const { EXPERIMENTS } = await import('../experiments/registry.js');
  const { estimateRun, rowsPerSecond } = await import('../experiments/estimate.js');
  const { renderText } = await import('../report/table.js');
  const model = await openModel(options, interruptSignal());
  try {
    const request = { seed: 42, count: SPEED_SAMPLES };
    const speed = await rowsPerSecond(EXPERIMENTS.exp01!, await openDataset('adworld', request), model);
    const rows: string[][] = [];
    for (const experiment of Object.values(EXPERIMENTS)) {
      const { id, question, unit, protocol, seed, rule, padding, target } = experiment;
      const wanted = { seed, count: SAMPLES };
      const data =
        unit === 'pool'
          ? await openPools('adworld', { ...wanted, answers: target === 'answer' })
          : await openDataset('adworld', { ...wanted, rule, padding: Math.min(padding, 500) });
      const estimate = await estimateRun(experiment, data, model);
      const seconds = Math.round(estimate.rows / speed);
      if (options.json) {
        const { samples, dataset } = protocol;
        process.stdout.write(`${JSON.stringify({ id, question, dataset, samples, ...estimate, seconds })}\n`);
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
    const numeric = [false, false, false, true, true, true, true];
    const titles = ['experiment', 'question', 'data', 'N', 'encoder passes', 'decoder passes', 'time here'];
    process.stdout.write(
      `${renderText({ columns: titles.map((title, i) => ({ title, numeric: numeric[i]! })), rows })}\n`,
    );
  } finally {
    await model.close();
  }
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
