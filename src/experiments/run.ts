/**
 * Runs an experiment: plans blocks, encodes each distinct input once, scores all conditions from the states, journals the trials and
 * ends with a summary. Can stop anywhere and go on later.
 */
import path from 'node:path';
import { Breather } from '../base/breather.js';
import { DkvError } from '../base/errors.js';
import { makeFolder, readIfPresent } from '../base/files.js';
import { shortestFloat32 } from '../base/float32.js';
import { withLock } from '../base/lock.js';
import { NotFiniteError } from '../engine/engine.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import { prepareSurrogates, type TextSources } from '../priming/prepare.js';
import { surrogate } from '../priming/surrogate.js';
import type { Prepared } from '../priming/surrogate-kinds.js';
import { JournalWriter, recoverJournal } from '../runs/journal.js';
import { differences, readRecord, writeRecord } from '../runs/record.js';
import { writeSummary } from '../runs/run-folder.js';
import { expectOwnEntries, readSamples, SAMPLES_FILE, writeSamples } from '../runs/samples.js';
import type { Configuration } from '../runs/schema/configuration.js';
import {
  type Entry,
  entryKey,
  isRejection,
  isTrial,
  type ProbeTrial,
  sumOf,
  type Trial,
} from '../runs/schema/entry.js';
import { asksLanguageModel, type Experiment, specificationsOf } from '../runs/schema/experiment.js';
import type { SampleRecord } from '../runs/schema/sample.js';
import type { Summary } from '../runs/schema/summary.js';
import type { Dataset, PoolSet } from '../samples/dataset.js';
import type { Candidate, Pool, Sample } from '../samples/sample.js';
import { driftRecord } from '../scoring/drift.js';
import { scoreEach } from '../scoring/inputs.js';
import type { Model } from '../scoring/load-model.js';
import { summarize } from './analysis/summarize.js';
import { type Block, type Plan, type PlannedTrial, planBlocks, type Unit } from './block.js';
import { layersOf, probeSample } from './probe.js';

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
        const made: Entry[] = [...block.rejections, ...(await runBlock(block, experiment, model, signal))];
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

/** The research's screening of a dataset: so many samples, of which at most this share may be answered without any help. */
const SCREENED = 20;
const CEILING = { nll: 0.05, share: 0.3 };

function refuseCeiling({ unit, conditions }: Experiment, entries: readonly Entry[]): void {
  const bare = conditions.find(({ surrogate, document }) => surrogate === undefined && document === undefined);
  if (unit !== 'sample' || !bare) return;
  const screened = entries
    .filter(isTrial)
    .filter(({ condition }) => condition === bare.name)
    .slice(0, SCREENED);
  const answered = screened.filter(({ nll }) => nll < CEILING.nll).length;
  if (answered <= CEILING.share * screened.length) return;
  throw new DkvError(
    'CEILING_REACHED',
    `The model gives ${answered} of the first ${screened.length} answers below ${CEILING.nll} nats from the bare document: there is no room for a prefix to help. Choose harder data, or go on with --ignore-ceiling.`,
  );
}

/** @param prepared what surrogates had to wait for; not needed where none has to */
export function planOf(
  experiment: Experiment,
  { units, references, padding }: Scored,
  tokenizer: Tokenizer,
  prepared?: Prepared,
): Plan {
  const countTokens = (text: string) => tokenizer.encode(text).length;
  const context = { samples: references, seed: experiment.seed, countTokens, ...(prepared && { prepared }) };
  return {
    units,
    experiment,
    padding,
    prefix: (specification, { sample, index }) => surrogate(specification).make(sample, { ...context, index }),
  };
}

/** What a plan takes from a dataset. */
interface Scored {
  readonly units: readonly Unit[];
  /** The samples that surrogates borrow words from: for pools the first relevant candidate of each. */
  readonly references: readonly Sample[];
  readonly padding: readonly string[];
}

export function unitsOf(data: Dataset | PoolSet): Scored {
  if ('samples' in data) {
    const { samples, padding } = data;
    return { units: samples.map((sample, index) => ({ sample, index })), references: samples, padding };
  }
  const sampleOf = ({ id, query, answer = '' }: Pool, candidate: Candidate): Sample => ({
    id: `${id}/${candidate.id}`,
    document: candidate.document,
    query,
    answer,
    cluster: id,
    ...(candidate.title !== undefined && { title: candidate.title }),
  });
  return {
    units: data.pools.flatMap((pool, index) =>
      pool.candidates.map((candidate) => ({ sample: sampleOf(pool, candidate), index })),
    ),
    references: data.pools.map((pool) => {
      const relevant = pool.candidates.find(({ grade }) => grade >= (pool.relevant ?? 1));
      return sampleOf(pool, relevant ?? pool.candidates[0]!);
    }),
    padding: [],
  };
}

function* samplesOf(
  data: Dataset | PoolSet,
  units: readonly Unit[],
  { target }: Experiment,
  tokenizer: Tokenizer,
  withTexts: boolean,
): Generator<SampleRecord> {
  const ranked = 'pools' in data ? data.pools.flatMap((pool) => pool.candidates.map((c) => ({ pool, ...c }))) : [];
  for (const [i, { sample }] of units.entries()) {
    const { id, cluster, document, query, answer } = sample;
    const { pool, id: candidate, grade } = ranked[i] ?? {};
    const literals = literalsOf(sample, tokenizer);
    yield {
      id,
      ...(cluster !== undefined && { cluster }),
      ...(pool && { pool: pool.id, candidate, grade, relevant: pool.relevant ?? 1 }),
      ...(literals.length > 0 && { control_tokens: literals }),
      ...(withTexts && {
        texts: { document, query, answer, target: tokensOf(target === 'answer' ? answer : query, tokenizer) },
      }),
    };
  }
}

/** The control tokens that a sample's texts hold as they are written. */
function literalsOf({ document, query, answer }: Sample, tokenizer: Tokenizer): string[] {
  const found = [document, query, answer].flatMap((text) => tokenizer.controlTokensIn(text));
  return [...new Set(found)].sort();
}

/** A text that has no token ids has no tokens to show; its sample is rejected when it is scored. */
function tokensOf(text: string, tokenizer: Tokenizer): string[] {
  try {
    return Array.from(tokenizer.encode(text), (token) => tokenizer.decode(Int32Array.of(token)));
  } catch (error) {
    if (error instanceof DkvError) return [];
    throw error;
  }
}

function configurationOf(
  experiment: Experiment,
  data: Dataset | PoolSet,
  model: Model,
  { maxTokens, writer }: RunOptions,
): Configuration {
  const { precision, drift, device, batchTokens, config } = model.engine.info;
  const { name, revision, licence, selection, digest } = data;
  return {
    experiment,
    samples: 'samples' in data ? data.samples.length : data.pools.length,
    seed: experiment.seed,
    dataset: { name, revision, licence, selection, digest },
    model: {
      name: model.name,
      built_in: model.builtIn,
      fingerprint: model.fingerprint,
      precision,
      ...(drift && { drift: driftRecord(drift) }),
      window: config.encoder.layerTypes.includes('sliding_attention') ? config.encoder.slidingWindow : null,
    },
    device,
    control_tokens: model.tokenizer.controlTokens,
    max_tokens: maxTokens,
    batch_tokens: batchTokens,
    writer: (asksLanguageModel(experiment) && writer) || null,
  };
}

/**
 * The configuration of the run that the folder holds, if one may go on there.
 * @param hasLiterals does a text of the run hold control tokens as they are written?
 * @throws DkvError when the folder holds another run, or one that nobody asked to go on with
 */
async function startedConfiguration(
  directory: string,
  asked: Configuration,
  resume: boolean,
  hasLiterals: () => boolean,
): Promise<Configuration | undefined> {
  const record = await readRecord(directory);
  if (!record) return undefined;
  const { configuration } = record;
  const { control_tokens = hasLiterals() ? 'keep' : asked.control_tokens } = configuration;
  const changed = differences({ ...configuration, control_tokens }, asked);
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
  return configuration;
}

async function runBlock(
  block: Block,
  experiment: Experiment,
  { engine }: Model,
  signal: AbortSignal | undefined,
): Promise<Entry[]> {
  if (experiment.unit === 'probe') {
    const layers = layersOf(experiment.layers, engine.info.config.encoder.layerTypes.length);
    const made: Entry[] = [];
    for (const { sample } of block.units) {
      const trials = block.trials.filter((trial) => trial.sample === sample);
      if (trials.length === 0) continue;
      try {
        const probed = await probeSample(engine, trials, layers, signal);
        const broken = notFiniteMeasure(probed);
        made.push(...(broken ? [{ sample: sample.id, rejected: broken }] : probed));
      } catch (error) {
        if (!(error instanceof NotFiniteError)) throw error;
        made.push({ sample: sample.id, rejected: error.errorOf(0).message });
      }
    }
    return made;
  }
  const nlls = await scoreEach(engine, block.trials, signal ? { signal } : {});
  // A sample stands under all conditions or under none: what is compared is the same samples, whichever condition broke.
  const rejected = new Map<string, string>();
  for (const [i, { sample, condition }] of block.trials.entries()) {
    const own = nlls[i]!;
    if (own instanceof DkvError && !rejected.has(sample.id)) {
      rejected.set(sample.id, `under condition ${condition.name}: ${own.message}`);
    }
  }
  return [
    ...[...rejected].map(([sample, reason]) => ({ sample, rejected: reason })),
    ...block.trials.flatMap((trial, i) => {
      const own = nlls[i]!;
      return own instanceof DkvError || rejected.has(trial.sample.id) ? [] : [trialOf(trial, own)];
    }),
  ];
}

/** Attention that vanishes in single precision leaves nothing to divide by. */
function notFiniteMeasure(trials: readonly ProbeTrial[]): string | undefined {
  for (const { condition, layers } of trials) {
    for (const { layer, measures } of layers) {
      const broken = Object.entries(measures).find(([, value]) => !Number.isFinite(value));
      if (broken) return `under condition ${condition}: ${broken[0]} of layer ${layer} is ${broken[1]}`;
    }
  }
  return undefined;
}

function trialOf({ sample, condition, parts, jointDiffers, leak }: PlannedTrial, tokenNlls: Float32Array): Trial {
  const sum = sumOf(tokenNlls);
  const { prefixTokens, documentTokens, cutTokens } = parts[0]!.input;
  return {
    sample: sample.id,
    condition: condition.name,
    nll: sum / tokenNlls.length,
    nll_sum: sum,
    num_tokens: tokenNlls.length,
    token_nlls: Array.from(tokenNlls, shortestFloat32),
    prefix_tokens: prefixTokens,
    document_tokens: documentTokens,
    cut: cutTokens > 0,
    ...(jointDiffers !== undefined && { joint_differs: jointDiffers }),
    ...(leak && { leak }),
  };
}
