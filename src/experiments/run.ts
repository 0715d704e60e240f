/**
 * Runs an experiment: plans blocks, encodes each distinct input once, scores all conditions from the states, journals the trials and
 * ends with a summary. Can stop anywhere and go on later.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Dataset } from '../datasets/dataset.js';
import { DkvError } from '../errors.js';
import type { Model } from '../load-model.js';
import { scoreInputs, shortestFloat32 } from '../scoring.js';
import { type Summary, summarize } from './analysis.js';
import { type Block, type PlannedTrial, planBlocks } from './block.js';
import type { Experiment } from './experiment.js';
import { type Entry, isTrial, JournalWriter, readJournal, type Trial } from './journal.js';
import { type Configuration, differences, readRecord, writeRecord } from './record.js';

export interface RunOptions {
  /** The run folder; made if it is not there. */
  readonly directory: string;
  /** Go on with what the folder holds; without it a folder that holds a run is refused. */
  readonly resume: boolean;
  /** Rows that the encoder may read. */
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
}

export interface RunProgress {
  readonly doneSamples: number;
  readonly totalSamples: number;
  /** Of `doneSamples`, those that were there before this call. */
  readonly resumedSamples: number;
}

/** Trials are safe against a crash of the machine after at most this many samples. */
const SAMPLES_PER_SYNC = 20;

/** A block holds about this many batches of rows, so that one sample's conditions can share batches with its neighbours'. */
const BATCHES_PER_BLOCK = 4;

/**
 * @param dataset the samples to score, already chosen: their number is the run's N
 * @throws DkvError RUN_EXISTS, RUN_MISMATCH, RUN_DAMAGED, CANCELLED (what was done is in the journal), and the engine's
 */
export async function runExperiment(
  experiment: Experiment,
  dataset: Dataset,
  model: Model,
  options: RunOptions,
): Promise<Summary> {
  const { directory, signal, maxTokens } = options;
  const configuration = configurationOf(experiment, dataset, model, maxTokens);
  await mkdir(directory, { recursive: true });
  await openRecord(directory, configuration, options.resume);
  const journalFile = path.join(directory, 'trials.jsonl');
  const entries = await readJournal(journalFile);
  const done = new Set(entries.map(entryKey));
  const isDone = (block: Block) =>
    block.trials.every(({ sample, condition }) =>
      done.has(entryKey({ sample: sample.id, condition: condition.name })),
    ) && block.rejections.every((rejection) => done.has(entryKey(rejection)));

  const progress = { doneSamples: 0, totalSamples: dataset.samples.length, resumedSamples: 0 };
  const limits = {
    maxTokens,
    maxSamples: SAMPLES_PER_SYNC,
    maxRows: BATCHES_PER_BLOCK * model.engine.info.batchTokens,
  };
  const plan = { samples: dataset.samples, conditions: experiment.conditions, seed: experiment.seed };
  const journal = await JournalWriter.open(journalFile);
  try {
    let unsynced = 0;
    for (const block of planBlocks(plan, model.tokenizer, limits)) {
      if (signal?.aborted) throw new DkvError('CANCELLED', 'The run was stopped.');
      if (isDone(block)) {
        progress.resumedSamples += block.samples.length;
      } else {
        const made: Entry[] = [...block.rejections, ...(await runBlock(block, model, signal))];
        const fresh = made.filter((entry) => !done.has(entryKey(entry)));
        await journal.append(fresh);
        entries.push(...fresh);
        unsynced += block.samples.length;
        if (unsynced >= SAMPLES_PER_SYNC) {
          await journal.sync();
          unsynced = 0;
        }
      }
      progress.doneSamples += block.samples.length;
      options.onProgress?.({ ...progress });
    }
  } finally {
    await journal.close();
  }
  if (!entries.some(isTrial)) {
    throw new DkvError(
      'INPUT_INVALID',
      `None of the ${dataset.samples.length} samples could be scored; see ${journalFile}.`,
    );
  }
  const summary = summarize(configuration, entries);
  await writeFile(path.join(directory, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`, { flush: true });
  return summary;
}

function configurationOf(
  experiment: Experiment,
  { name, revision, digest, samples }: Dataset,
  model: Model,
  maxTokens: number,
): Configuration {
  const { id, title, question, protocolSamples, seed, conditions, comparisons } = experiment;
  const { precision, device, batchTokens } = model.engine.info;
  return {
    experiment: {
      id,
      title,
      question,
      protocol_samples: protocolSamples,
      conditions: [...conditions],
      comparisons: [...comparisons],
    },
    samples: samples.length,
    seed,
    dataset: { name, revision, digest },
    model: { name: model.name, built_in: model.builtIn, fingerprint: model.fingerprint, precision },
    device,
    max_tokens: maxTokens,
    batch_tokens: batchTokens,
  };
}

/** Makes the run's record, or checks that the one that is there is of the same run. */
async function openRecord(directory: string, configuration: Configuration, resume: boolean): Promise<void> {
  const record = await readRecord(directory);
  if (!record) {
    await writeRecord(directory, configuration);
    return;
  }
  const changed = differences(record.configuration, configuration);
  if (changed.length > 0) {
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds a run with another configuration or model:\n${changed.map((line) => `  ${line}`).join('\n')}\nChoose another folder with --out, or repeat the options of that run.`,
    );
  }
  if (!resume) {
    throw new DkvError(
      'RUN_EXISTS',
      `${directory} already holds this run. Continue it with --resume, or choose another folder with --out.`,
    );
  }
}

async function runBlock(block: Block, { engine }: Model, signal: AbortSignal | undefined): Promise<Trial[]> {
  const items = block.trials.map(({ input, condition, target }) => ({
    input,
    visibility: condition.visibility,
    prompt: new Int32Array(0),
    target,
  }));
  const nlls = await scoreInputs(engine, items, signal ? { signal } : {});
  return block.trials.map((trial, i) => trialOf(trial, nlls[i]!));
}

function trialOf({ sample, condition, input, jointDiffers }: PlannedTrial, tokenNlls: Float32Array): Trial {
  const sum = tokenNlls.reduce((a, b) => a + b, 0);
  return {
    sample: sample.id,
    condition: condition.name,
    nll: sum / tokenNlls.length,
    nll_sum: sum,
    num_tokens: tokenNlls.length,
    token_nlls: Array.from(tokenNlls, shortestFloat32),
    prefix_tokens: input.prefixTokens,
    document_tokens: input.documentTokens,
    cut: input.cutTokens > 0,
    ...(jointDiffers !== undefined && { joint_differs: jointDiffers }),
  };
}

function entryKey(entry: { readonly sample: string; readonly condition?: string }): string {
  return JSON.stringify([entry.sample, entry.condition]);
}
