/**
 * Runs an experiment: plans blocks, encodes each distinct input once, scores all conditions from the states, journals the trials and
 * ends with a summary. Can stop anywhere and go on later.
 */
import path from 'node:path';
import { Breather } from '../../base/breather.js';
import { DkvError } from '../../base/errors.js';
import { makeFolder, readIfPresent } from '../../base/files.js';
import { withLock } from '../../base/lock.js';
import { onnxRuntimeVersion } from '../../engine/onnxruntime.js';
import { LiteralTokens } from '../../model/tokenizer/literal-tokens.js';
import { prepareSurrogates, type TextSources } from '../../priming/prepare.js';
import { JournalWriter, recoverJournal } from '../../runs/journal.js';
import { writeRecord } from '../../runs/record.js';
import { writeSummary } from '../../runs/run-folder.js';
import { expectOwnEntries, readSamples, SAMPLES_FILE, writeSamples } from '../../runs/samples.js';
import { type Entry, entryKey, isRejection } from '../../runs/schema/entry.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { Summary } from '../../runs/schema/summary.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import type { Model } from '../../scoring/load-model.js';
import { summarize } from '../analysis/summarize.js';
import { type Block, planBlocks } from '../plan/block.js';
import { planOf } from '../plan/plan.js';
import { unitsOf } from '../plan/unit.js';
import { refuseCeiling, SCREENED } from './ceiling.js';
import { configurationOf, startedConfiguration } from './configuration.js';
import { entriesOf } from './entries.js';
import { samplesOf } from './samples.js';

export interface RunOptions {
  /** The run folder; made if it is not there. */
  readonly directory: string;
  /** Go on with what the folder holds; without it a folder that holds a run is refused. */
  readonly resume: boolean;
  /** Rows that the encoder may read. */
  readonly maxTokens: number;
  /** Go on although the model answers too many of the first samples without any help. */
  readonly ignoreCeiling?: boolean;
  /** Keep the samples' texts out of the run folder. */
  readonly noText?: boolean;
  /** Who writes surrogates that a model writes. */
  readonly sources?: TextSources;
  /** Which language model that is: part of the configuration where a surrogate needs it. */
  readonly writer?: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: RunProgress) => void;
  /** Called with what holds the thread for seconds, the statistics; everything is in the folder then. It has to do it. */
  readonly whileBlocked?: (work: () => Summary) => Summary;
  /** Documents that surrogates have been written for. */
  readonly onWriting?: (done: number, total: number) => void;
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
 * @param data the samples to score or the pools to rank, already chosen: their number is the run's N
 * @throws DkvError RUN_EXISTS, RUN_MISMATCH, RUN_DAMAGED, RUN_BUSY, CANCELLED (what was done is in the journal), and the engine's
 */
export async function runExperiment(
  experiment: Experiment,
  data: Dataset | PoolSet,
  model: Model,
  options: RunOptions,
): Promise<Summary> {
  const { directory } = options;
  await makeFolder(directory);
  const refuse = (holder: string) =>
    new DkvError(
      'RUN_BUSY',
      `${directory}: ${holder} is at work on this run. Wait for it, stop it, or choose another folder with --out.`,
    );
  return withLock(path.join(directory, 'run.lock'), () => runAlone(experiment, data, model, options), { refuse });
}

async function runAlone(
  experiment: Experiment,
  data: Dataset | PoolSet,
  model: Model,
  options: RunOptions,
): Promise<Summary> {
  const { directory, signal, maxTokens } = options;
  const asked = configurationOf(experiment, data, model, options);
  const turns = new Breather(signal, 'The run was stopped.');
  const scored = unitsOf(data);
  const { units } = scored;
  const journalFile = path.join(directory, 'trials.jsonl');
  const hasLiterals = () => {
    const literals = new LiteralTokens(model.tokenizer);
    literals.see(...specificationsOf(experiment));
    for (const { sample } of units) literals.see(sample.document, sample.query, sample.answer);
    return literals.count > 0;
  };
  const started = await startedConfiguration(directory, asked, options.resume, hasLiterals);
  const configuration = started ?? asked;
  if (!started && (await readIfPresent(journalFile))?.length) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${directory} holds trials but no run.json that says what they are of. Bring it back from a copy, or choose another folder with --out.`,
    );
  }
  if (!started || (await readIfPresent(path.join(directory, SAMPLES_FILE))) === undefined) {
    const made = samplesOf(data, units, experiment, model.tokenizer, !options.noText);
    await writeSamples(directory, await turns.map(made, (sample) => sample));
  }
  if (!started) await writeRecord(directory, configuration, { 'onnxruntime-node': onnxRuntimeVersion() });
  const records = await readSamples(directory);
  const entries = await recoverJournal(journalFile);
  expectOwnEntries(journalFile, entries, records, experiment);
  const done = new Set(entries.map(entryKey));
  const isDone = (block: Block) =>
    block.trials.every(({ sample, condition }) =>
      done.has(entryKey({ sample: sample.id, condition: condition.name })),
    ) && block.rejections.every((rejection) => done.has(entryKey(rejection)));

  const progress = { doneSamples: 0, totalSamples: units.length, resumedSamples: 0 };
  const limits = {
    maxTokens,
    maxUnits: SAMPLES_PER_SYNC,
    maxRows: BATCHES_PER_BLOCK * model.engine.info.batchTokens,
  };
  const prepared = await prepareSurrogates(
    specificationsOf(experiment),
    units.map(({ sample }) => sample),
    options.sources ?? {},
    { ...(signal && { signal }), ...(options.onWriting && { onProgress: options.onWriting }) },
  );
  const plan = planOf(experiment, scored, model.tokenizer, prepared);
  const passes = { encoder: 0, decoder: 0, naive_encoder: 0 };
  const journal = await JournalWriter.open(journalFile);
  try {
    let unsynced = 0;
    let screened = options.ignoreCeiling ?? false;
    for (const block of planBlocks(plan, model.tokenizer, limits)) {
      await turns.breathe();
      const encodes = block.trials.flatMap(({ parts }) => parts.map(({ key }) => key));
      passes.encoder += new Set(encodes).size;
      passes.naive_encoder += encodes.length;
      if (experiment.unit !== 'probe') passes.decoder += block.trials.length;
      if (isDone(block)) {
        progress.resumedSamples += block.units.length;
      } else {
        const made: Entry[] = [...block.rejections, ...(await entriesOf(block, experiment, model, signal))];
        const fresh = made.filter((entry) => !done.has(entryKey(entry)));
        await journal.append(fresh);
        entries.push(...fresh);
        if (!screened && progress.doneSamples + block.units.length >= SCREENED) {
          refuseCeiling(experiment, entries);
          screened = true;
        }
        unsynced += block.units.length;
        if (unsynced >= SAMPLES_PER_SYNC) {
          await journal.sync();
          unsynced = 0;
        }
      }
      progress.doneSamples += block.units.length;
      options.onProgress?.({ ...progress });
    }
  } finally {
    await journal.close();
  }
  if (entries.every(isRejection)) {
    const [first] = entries;
    throw new DkvError(
      'INPUT_INVALID',
      `None of the ${units.length} samples could be scored; see ${journalFile}.${first ? ` The first, ${first.sample}: ${first.rejected}` : ''}`,
    );
  }
  const { whileBlocked = (work) => work() } = options;
  const summary = whileBlocked(() => summarize(configuration, entries, records, passes));
  await writeSummary(directory, summary);
  return summary;
}
