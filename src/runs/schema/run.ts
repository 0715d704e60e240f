/** A finished run as its files hold it together: the summary is of the record, the trials are of the samples, and all that was summed up is there. */
import { DkvError } from '../../base/errors.js';
import { differences } from './configuration.js';
import { type Entry, entryKey, isRejection, isTrial, type Trial } from './entry.js';
import type { Experiment } from './experiment.js';
import { PACKED_TRIALS_FILE } from './packed.js';
import { parseRecord, RECORD_FILE, type RunRecord } from './record.js';
import { parseSamples, SAMPLES_FILE, type SampleRecord } from './sample.js';
import type { FileContent } from './sealed.js';
import { MAKE_AGAIN, parseSummary, SUMMARY_FILE, type Summary } from './summary.js';
import { GO_ON, parseTrials, TRIALS_FILE } from './trials.js';

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
  readonly [SUMMARY_FILE]: FileContent;
  readonly [SAMPLES_FILE]: FileContent;
  /** The trials; absent where they were left out of the folder. For a `trials.jsonl.gz`, pass what `unpackTrials` makes of it. */
  readonly [TRIALS_FILE]?: FileContent;
}

/**
 * Reads a finished run from the contents of its files, wherever they come from. It needs no file system.
 * @throws DkvError RUN_DAMAGED naming the file and what in it is not as it was written, or which files do not belong to one run; INPUT_INVALID for
 * trials that are still compressed
 */
export function parseRunFiles(files: RunFiles): FinishedRun {
  if (PACKED_TRIALS_FILE in files) {
    throw new DkvError(
      'INPUT_INVALID',
      `${PACKED_TRIALS_FILE} is compressed. Unpack it with unpackTrials, and give what comes out as "${TRIALS_FILE}".`,
    );
  }
  const record = parseRecord(files[RECORD_FILE]);
  const summary = parseSummary(files[SUMMARY_FILE]);
  expectSummaryOf(record, summary);
  const samples = parseSamples(files[SAMPLES_FILE]);
  const trials = files[TRIALS_FILE];
  return finishedRun(record, summary, samples, trials === undefined ? undefined : parseTrials(trials));
}

/** @param entries undefined where the run's folder has no journal @throws DkvError RUN_DAMAGED */
export function finishedRun(
  record: RunRecord,
  summary: Summary,
  samples: readonly SampleRecord[],
  entries: readonly Entry[] | undefined,
  file: string = TRIALS_FILE,
): FinishedRun {
  if (entries) expectComplete(file, entries, samples, summary);
  return { record, summary, trials: (entries ?? []).filter(isTrial), samples };
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

/** A name among the results that the experiment has no condition of. */
function unknownName({ configuration, conditions, comparisons }: Summary): string | undefined {
  const known = new Set(configuration.experiment.conditions.map(({ name }) => name));
  const named = [
    ...conditions.map(({ name }) => name),
    ...comparisons.flatMap(({ treatment, baseline }) => [treatment, baseline]),
  ];
  return named.find((name) => !known.has(name));
}

/**
 * Every entry of a journal is of a sample and a condition of its run.
 * @throws DkvError RUN_DAMAGED naming the line
 */
export function expectOwnEntries(
  file: string,
  entries: readonly Entry[],
  records: readonly SampleRecord[],
  { conditions }: Experiment,
): void {
  const samples = new Set(records.map(({ id }) => id));
  const names = new Set(conditions.map(({ name }) => name));
  for (const [at, entry] of entries.entries()) {
    if (samples.has(entry.sample) && (isRejection(entry) || names.has(entry.condition))) continue;
    throw new DkvError(
      'RUN_DAMAGED',
      `${file}, line ${at + 1}: ${entryKey(entry)} is no sample and condition of this run. Remove the line. ${GO_ON}`,
    );
  }
}

/** What the summary was made from is all there. @throws DkvError RUN_DAMAGED */
function expectComplete(
  file: string,
  entries: readonly Entry[],
  samples: readonly SampleRecord[],
  { configuration: { experiment }, samples: { scored, rejected } }: Summary,
): void {
  expectOwnEntries(file, entries, samples, experiment);
  const done = new Set(entries.map(entryKey));
  const isScored = ({ id: sample }: SampleRecord) =>
    experiment.conditions.every(({ name: condition }) => done.has(entryKey({ sample, condition })));
  const [found, refused] = [samples.filter(isScored).length, entries.filter(isRejection).length];
  if (found === scored && refused >= rejected.length) return;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} has ${found} whole samples and ${refused} rejected ones, ${SUMMARY_FILE} was made from ${scored} and ${rejected.length}. ${GO_ON}`,
  );
}
