/** `dkv list`: what there is to run. */

import { Command } from 'commander';
import { gigabytes } from '../base/files.js';
import { openDataset, openPools } from '../datasets/open.js';
import type { EstimatedModel, RunEstimate } from '../experiments/run/estimate.js';
import type { ModelConfig } from '../model/families/families.js';
import { listedExperimentSchema } from '../wire/runs.js';
import { printJson } from './json.js';
import { addModelOptions, type ModelOptions, openModel, positiveNumber } from './model-options.js';
import { printTable } from './print-table.js';
import { roughTime } from './quantities.js';
import { interruptSignal } from './terminal.js';

interface ListOptions extends ModelOptions {
  readonly estimate: boolean;
  readonly tflops?: number;
  readonly json: boolean;
}

export function listCommand(): Command {
  const experiments = new Command('experiments')
    .description(
      'What each experiment asks, on what data; with --estimate also how many forward passes and about how long here.',
    )
    .option('--estimate', 'load the model and reckon passes and time', false)
    .option(
      '--tflops <n>',
      'reckon the time from so many 10^12 operations a second, two for each product, and load no model',
      positiveNumber,
    )
    .option('--json', 'one JSON object a line', false);
  addModelOptions(experiments)
    .addHelpText(
      'after',
      `
With --estimate passes and time are reckoned for the built-in data at the protocol's number of samples, from the inputs of a few samples and this model's
speed on this machine. With --tflops they are reckoned from the model's config and the speed that is stated, for a device that is not here or a model that
is not downloaded. Numbers in brackets are the passes that would be needed if every condition were encoded separately.

Examples:
  dkv list experiments
  dkv list experiments --estimate --model google/t5gemma-2-270m-270m
  dkv list experiments --model google/t5gemma-2-4b-4b --device cuda --precision bfloat16 --tflops 100`,
    )
    .action(listExperiments);
  return new Command('list').description('List what there is to run.').addCommand(experiments);
}

const SAMPLES = 4;
const SPEED_SAMPLES = 8;

async function listExperiments(options: ListOptions, command: Command): Promise<void> {
  if (options.tflops !== undefined) return listReckoned(options, options.tflops);
  if (options.estimate) return listMeasured(options);
  const ofModel = ['model', 'device', 'precision'].find((name) => command.getOptionValueSource(name) === 'cli');
  if (ofModel) {
    process.stderr.write(
      `No time is reckoned, and --${ofModel} changes nothing here: --estimate measures it on this machine, --tflops N reckons it from the model's config and a stated speed.\n`,
    );
  }
  return listQuestions(options.json);
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

/** Lists estimates for the model's speed as it is measured here. */
async function listMeasured(options: ListOptions): Promise<void> {
  const { EXPERIMENTS } = await import('../experiments/catalogue/registry.js');
  const { rowsPerSecond } = await import('../experiments/run/estimate.js');
  const model = await openModel(options, interruptSignal());
  try {
    const request = { seed: 42, count: SPEED_SAMPLES };
    const speed = await rowsPerSecond(EXPERIMENTS.exp01!, await openDataset('adworld', request), model);
    const { tokenizer, engine } = model;
    await listEstimates(options, { tokenizer, shape: engine.info.shape }, 'time here', ({ rows }) => rows / speed);
  } finally {
    await model.close();
  }
}

/** Lists estimates for a stated speed, from the model's config alone, and says what is assumed. */
async function listReckoned(options: ListOptions, tflops: number): Promise<void> {
  const { shapeOf } = await import('../model/families/families.js');
  const { productOperations } = await import('../model/operations.js');
  const { stateModel } = await import('../scoring/stated-model.js');
  const { expectPrecision } = await import('../engine/runtime.js');
  const { model, controlTokens, device, precision } = options;
  expectPrecision(device, precision);
  const { config, tokenizer, isHere } = await stateModel(model, controlTokens);
  try {
    process.stderr.write(
      `Reckoned, not measured: ${tflops} x 10^12 operations of products with weights a second, encoder and decoder alike; attention, loading and texts that a model writes are not counted. ${isHere ? '' : `${model} is not here: tokens are counted by the built-in model's tokenizer, and its published config is taken. `}${await memoryNote(config, options)}\n`,
    );
    await listEstimates(
      options,
      { tokenizer, shape: shapeOf(config) },
      `time at ${tflops} TFLOP/s`,
      (counts) => productOperations(config, counts) / (tflops * 1e12),
    );
  } finally {
    await tokenizer.close();
  }
}

/** Says how much memory the model takes as it would be run. */
async function memoryNote(config: ModelConfig, options: ListOptions): Promise<string> {
  const { precision, device, workers, maxLength: tokens, deviceMemory, batchTokens } = options;
  if (device === 'cpu') {
    const { memoryEstimate } = await import('../model/memory.js');
    return `As ${precision} it takes about ${gigabytes(memoryEstimate(config, precision, { workers, tokens }))} of memory.`;
  }
  const { deviceEstimate, planDevice } = await import('../model/device-memory.js');
  const use = { precision, device, workers, tokens };
  const plan = planDevice(config, { ...use, batchTokens }, deviceMemory === undefined ? undefined : deviceMemory * 1e9);
  const bytes = deviceEstimate(config, { ...use, batchTokens: plan.batchTokens });
  return `As ${precision} it takes about ${gigabytes(bytes)} of the ${device} device's memory, in batches of ${plan.batchTokens} rows.`;
}

/** @param secondsOf how long what an experiment computes takes */
async function listEstimates(
  options: ListOptions,
  model: EstimatedModel,
  time: string,
  secondsOf: (estimate: RunEstimate) => number,
): Promise<void> {
  const { EXPERIMENTS } = await import('../experiments/catalogue/registry.js');
  const { refusalOf } = await import('../experiments/plan/conditions.js');
  const { segmentsOf } = await import('../priming/input.js');
  const { estimateRun } = await import('../experiments/run/estimate.js');
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
    const seconds = Math.round(secondsOf(estimate));
    if (options.json) {
      const { samples, dataset } = protocol;
      const { naive_encoder: naiveEncoder, encoder, decoder, rows: encoderRows } = estimate;
      const passes = { encoder, decoder, naiveEncoder, rows: encoderRows };
      printJson(listedExperimentSchema, { id, question, dataset, samples, ...passes, seconds });
    }
    rows.push([
      id,
      question,
      protocol.dataset,
      String(protocol.samples),
      `${estimate.encoder} (${estimate.naive_encoder})`,
      String(estimate.decoder),
      roughTime(seconds),
    ]);
  }
  if (options.json) return;
  await printTable(['experiment', 'question', 'data', 'N', 'encoder passes', 'decoder passes', time], rows, 3);
}
