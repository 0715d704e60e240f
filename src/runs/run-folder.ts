/** A finished run in its folder: its summary, and all that reports are made of, read back as they were written. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { GO_ON, readJournal } from './journal.js';
import { differences, readRecord, unsealRecord } from './record.js';
import { expectOwnEntries, readSamples } from './samples.js';
import { type Entry, entryKey, isRejection, isTrial, type Trial } from './schema/entry.js';
import type { RunRecord } from './schema/record.js';
import type { SampleRecord } from './schema/sample.js';
import { type Summary, summarySchema } from './schema/summary.js';
import { sealedFile } from './sealed.js';

export interface FinishedRun {
  readonly record: RunRecord;
  readonly summary: Summary;
  readonly trials: readonly Trial[];
  readonly samples: readonly SampleRecord[];
}

const SUMMARY_FILE = 'summary.json';

const ADVICE = 'Remove it and go on with the run (dkv run --resume): it is made again from the trials.';

export async function writeSummary(directory: string, summary: Summary): Promise<void> {
  await publish(path.join(directory, SUMMARY_FILE), sealedFile(summary));
}

/**
 * A summary that is read is equal to the one that was written.
 * @throws DkvError INPUT_INVALID for a folder that is no run or an unfinished one, RUN_DAMAGED naming the field, also for another format
 */
export async function readSummary(directory: string): Promise<{ record: RunRecord; summary: Summary }> {
  const record = await readRecord(directory);
  if (record === undefined) {
    throw new DkvError('INPUT_INVALID', `${directory} is not a run folder: it has no run.json. "dkv run" makes one.`);
  }
  const file = path.join(directory, SUMMARY_FILE);
  const bytes = await readIfPresent(file);
  if (bytes === undefined) {
    const id = record.configuration.experiment.id;
    throw new DkvError(
      'INPUT_INVALID',
      `${directory} holds a run that is not finished: it has no summary.json. Finish it with: dkv run ${id} --out ${directory} --resume`,
    );
  }
  const summary = unsealRecord(file, bytes, summarySchema, { what: 'the summary of a run', advice: ADVICE });
  const changed = differences(record.configuration, summary.configuration);
  if (changed.length > 0) {
    throw new DkvError('RUN_DAMAGED', `${file} is not the summary of the run in run.json: ${changed[0]}`);
  }
  const unknown = unknownName(summary);
  if (unknown !== undefined) {
    throw new DkvError('RUN_DAMAGED', `${file}: ${JSON.stringify(unknown)} is no condition of this run. ${ADVICE}`);
  }
  return { record, summary };
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

/** With the trials and samples of a run whose summary is known; without trials where the folder has no journal. @throws DkvError RUN_DAMAGED */
export async function withTrials(directory: string, record: RunRecord, summary: Summary): Promise<FinishedRun> {
  const file = path.join(directory, 'trials.jsonl');
  const [entries, samples] = [await readJournal(file), await readSamples(directory)];
  if (entries) expectComplete(file, entries, samples, summary);
  return { record, summary, trials: (entries ?? []).filter(isTrial), samples };
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
    `${file} has ${found} whole samples and ${refused} rejected ones, summary.json was made from ${scored} and ${rejected.length}. ${GO_ON}`,
  );
}
