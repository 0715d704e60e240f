/** A finished run as its files hold it together: the summary is of the record, the trials are of the samples, and all that was summed up is there. */
import { DkvError } from '../../base/errors.js';
import { GO_ON, MAKE_AGAIN, RESUME } from './advice.js';
import { differences } from './configuration.js';
import { type Entry, entryKey, isProbe, isRejection, isTrial, type Trial } from './entry.js';
import type { Experiment } from './experiment.js';
import { ownerOf } from './journal-head.js';
import { PACKED } from './packed.js';
import { parseRecord, RECORD_FILE, type RunRecord } from './record.js';
import { parseOwnSamples, SAMPLES_FILE, type SampleRecord } from './sample.js';
import type { FileContent } from './sealed.js';
import { parseSummary, SUMMARY_FILE, type Summary } from './summary.js';
import { type Journal, parseWholeJournal, removing, TRIALS_FILE } from './trials.js';

/** A finished run with everything that its folder keeps. It has no trials where they were left out of the folder. */
export interface FinishedRun {
  readonly record: RunRecord;
  readonly summary: Summary;
  readonly trials: readonly Trial[];
  readonly samples: readonly SampleRecord[];
}

/** The contents of a run folder's files, by file name. */
export interface RunFiles {
  readonly [RECORD_FILE]: FileContent;
  /** The summary. For a `summary.json.gz`, pass what `unpackLines` makes of it. */
  readonly [SUMMARY_FILE]: FileContent;
  /** The samples. For a `samples.jsonl.gz`, pass what `unpackLines` makes of it. */
  readonly [SAMPLES_FILE]: FileContent;
  /** The trials; absent where they were left out of the folder. For a `trials.jsonl.gz`, pass what `unpackLines` makes of it. */
  readonly [TRIALS_FILE]?: FileContent;
}

/**
 * Reads a finished run from the contents of its files, wherever they come from. It needs no file system.
 * @throws DkvError RUN_DAMAGED naming the file and what in it is not as it was written, or which files do not belong to one run; INPUT_INVALID for
 * files that are still compressed
 */
export function parseRunFiles(files: RunFiles): FinishedRun {
  const packed = [SUMMARY_FILE, SAMPLES_FILE, TRIALS_FILE].find((name) => name + PACKED in files);
  if (packed !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${packed}${PACKED} is compressed. Unpack it with unpackLines, and give what comes out as "${packed}".`,
    );
  }
  const record = parseRecord(files[RECORD_FILE]);
  const summary = parseSummary(files[SUMMARY_FILE]);
  expectSummaryOf(record, summary);
  const samples = parseOwnSamples(files[SAMPLES_FILE], record);
  const trials = files[TRIALS_FILE];
  return finishedRun(
    record,
    summary,
    samples,
    trials === undefined ? undefined : parseWholeJournal(trials, TRIALS_FILE, ownerOf(record)),
  );
}

/** @param journal undefined where the run's folder has none @throws DkvError RUN_DAMAGED */
export function finishedRun(
  record: RunRecord,
  summary: Summary,
  samples: readonly SampleRecord[],
  journal: Journal | undefined,
): FinishedRun {
  if (journal) expectComplete(journal, samples, summary);
  return { record, summary, trials: (journal?.entries ?? []).filter(isTrial), samples };
}

/** @param file the summary's, for messages @throws DkvError RUN_DAMAGED for the summary of another run, or one that names what the run does not have */
export function expectSummaryOf(record: RunRecord, summary: Summary, file: string = SUMMARY_FILE): void {
  const changed = differences(record.configuration, summary.configuration);
  if (changed.length > 0) {
    throw new DkvError('RUN_DAMAGED', `${file} is not the summary of the run in ${RECORD_FILE}: ${changed[0]}`);
  }
  if (record.plan?.locked.sha256 !== summary.plan?.sha256) {
    throw new DkvError('RUN_DAMAGED', `${file} is not of the plan that ${RECORD_FILE} has. ${MAKE_AGAIN}`);
  }
  const unknown = unknownName(summary);
  if (unknown !== undefined) {
    throw new DkvError('RUN_DAMAGED', `${file}: ${JSON.stringify(unknown)} is no condition of this run. ${MAKE_AGAIN}`);
  }
}

/** Finds a name among the results that the experiment has no condition of. */
function unknownName({ configuration, conditions, comparisons }: Summary): string | undefined {
  const known = new Set(configuration.experiment.conditions.map(({ name }) => name));
  const named = [
    ...conditions.map(({ name }) => name),
    ...comparisons.flatMap(({ treatment, baseline }) => [treatment, baseline]),
  ];
  return named.find((name) => !known.has(name));
}

/**
 * Checks that every entry of a journal is of a sample and a condition of its run.
 * @throws DkvError RUN_DAMAGED naming the line
 */
export function expectOwnEntries(journal: Journal, records: readonly SampleRecord[], { conditions }: Experiment): void {
  const { file, entries, lineOf } = journal;
  const samples = new Set(records.map(({ id }) => id));
  const names = new Set(conditions.map(({ name }) => name));
  for (const [at, entry] of entries.entries()) {
    if (samples.has(entry.sample) && (isRejection(entry) || names.has(entry.condition))) continue;
    throw new DkvError(
      'RUN_DAMAGED',
      `${file}, line ${lineOf(at)}: ${entryKey(entry)} is no sample and condition of this run. ${removing('the line', journal)}`,
    );
  }
}

/** What the summary was made from is all there. @throws DkvError RUN_DAMAGED */
function expectComplete(journal: Journal, samples: readonly SampleRecord[], summary: Summary): void {
  const { file, entries } = journal;
  const {
    configuration: { experiment },
    samples: { scored, rejected },
  } = summary;
  expectOwnEntries(journal, samples, experiment);
  const done = new Set(entries.map(entryKey));
  const isScored = ({ id: sample }: SampleRecord) =>
    experiment.conditions.every(({ name: condition }) => done.has(entryKey({ sample, condition })));
  const [found, refused] = [samples.filter(isScored).length, entries.filter(isRejection).length];
  if (found !== scored || refused < rejected.length) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${file} has ${found} whole samples and ${refused} rejected ones, ${SUMMARY_FILE} was made from ${scored} and ${rejected.length}. ${GO_ON}`,
    );
  }
  expectSameMeans(journal, summary);
}

/** Sums in another order differ in their last bits. */
const SAME_MEAN = 1e-9;

/** A mean of the summary, and what of the journal it was made from. */
interface SummedMean {
  /** What it is of, for messages. */
  readonly what: string;
  readonly condition: string;
  readonly mean: number;
  /** By sample: two processes that go on with one run write some trials twice. */
  readonly values: ReadonlyMap<string, number>;
}

/** The means that a summary has of its trials, or of what they measured inside the encoder. */
function summedMeans(entries: readonly Entry[], { conditions, probe }: Summary): SummedMean[] {
  const trials = entries.filter(isTrial);
  const looks = entries.filter(isProbe);
  return [
    ...conditions.map(({ name, nll }) => {
      const own = trials.filter(({ condition }) => condition === name);
      return {
        what: 'NLL',
        condition: name,
        mean: nll,
        values: new Map(own.map((trial) => [trial.sample, trial.nll])),
      };
    }),
    ...(probe?.conditions ?? []).flatMap(({ name, measures }) => {
      const own = looks.filter(({ condition }) => condition === name);
      return measures.flatMap((measure) =>
        measure.by_layer.flatMap((estimated, l) => {
          const number = probe!.layers[l]!;
          const values = own.flatMap(({ sample, layers }): [string, number][] => {
            const value = layers.find(({ layer }) => layer === number)?.measures[measure.name];
            return value === undefined ? [] : [[sample, value]];
          });
          if (typeof estimated?.value !== 'number') return [];
          const what = `${measure.name} in layer ${number}`;
          return [{ what, condition: name, mean: estimated.value, values: new Map(values) }];
        }),
      );
    }),
  ];
}

/** Trials of another run may be of the same samples and conditions, and older journals do not say which run they are of. @throws DkvError RUN_DAMAGED */
function expectSameMeans({ file, entries }: Pick<Journal, 'file' | 'entries'>, summary: Summary): void {
  for (const summed of summedMeans(entries, summary)) expectSameMean(file, summed);
}

function expectSameMean(file: string, { what, condition, mean: was, values }: SummedMean): void {
  const mean = [...values.values()].reduce((sum, one) => sum + one, 0) / values.size;
  if (Math.abs(mean - was) <= SAME_MEAN * Math.max(1, Math.abs(was))) return;
  const found = values.size === 0 ? `no ${what}` : `a mean ${what} of ${mean}`;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} has ${found} under ${condition}, ${SUMMARY_FILE} one of ${was}: they are not of one run. Bring back the trials or the summary that belong here from a copy, or remove the summary where the trials are those of ${RECORD_FILE}, and go on with the run (${RESUME}).`,
  );
}

/**
 * Holds a journal that does not say which run it is of against the summary that was made of the run. Lines may be missing, and what has lost some of them has
 * another mean: each condition whose lines are all there is compared, and one at least has to be.
 * @throws DkvError RUN_DAMAGED for trials that are not those of the summary, and where too few are left to tell
 */
export function expectSummedUp(journal: Journal, summary: Summary): void {
  const { file, entries } = journal;
  if (entries.length === 0) return;
  const scored = summary.probe?.samples ?? summary.samples.scored;
  const means = summedMeans(entries, summary);
  const complete = means.filter(({ values }) => values.size === scored);
  for (const summed of complete) expectSameMean(file, summed);
  if (complete.length > 0 || means.length === 0) return;
  const most = Math.max(...means.map(({ values }) => values.size));
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} does not say which run it is of, and has trials of at most ${most} samples under a condition, where ${SUMMARY_FILE} was made from ${scored}: nothing shows that they are this run’s. Bring its own back from a copy, or remove the summary where the trials are those of ${RECORD_FILE}, and go on with the run (${RESUME}).`,
  );
}
