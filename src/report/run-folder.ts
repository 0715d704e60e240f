/** Reads a finished run back from its folder: all that reports are made of. */
import path from 'node:path';
import { DkvError } from '../errors.js';
import type { Summary } from '../experiments/analysis.js';
import { isTrial, readJournal, type Trial } from '../experiments/journal.js';
import { differences, type RunRecord, readRecord } from '../experiments/record.js';
import { readSamples, type SampleRecord } from '../experiments/samples.js';
import { readTextIfPresent } from '../files.js';

export interface FinishedRun {
  readonly record: RunRecord;
  readonly summary: Summary;
  readonly trials: readonly Trial[];
  readonly samples: readonly SampleRecord[];
}

const FORMAT: Summary['format'] = 2;

/** @throws DkvError INPUT_INVALID for a folder that is no run or an unfinished one, RUN_DAMAGED, also for another format */
export async function readSummary(directory: string): Promise<{ record: RunRecord; summary: Summary }> {
  const own = path.join(directory, 'run.json');
  const written = await readTextIfPresent(own).catch(() => undefined);
  if (written === undefined) {
    throw new DkvError('INPUT_INVALID', `${directory} is not a run folder: it has no run.json. "dkv run" makes one.`);
  }
  expectFormat(own, written);
  const record = (await readRecord(directory))!;
  const file = path.join(directory, 'summary.json');
  const text = await readTextIfPresent(file);
  if (text === undefined) {
    const id = record.configuration.experiment.id;
    throw new DkvError(
      'INPUT_INVALID',
      `${directory} holds a run that is not finished: it has no summary.json. Finish it with: dkv run ${id} --out ${directory} --resume`,
    );
  }
  const summary = expectFormat(file, text) as Summary;
  // What is written and read back loses fields without a value.
  const changed = differences(JSON.parse(JSON.stringify(record.configuration)), summary.configuration);
  if (changed.length > 0) {
    throw new DkvError('RUN_DAMAGED', `${file} is not the summary of the run in run.json: ${changed[0]}`);
  }
  return { record, summary };
}

/** With the trials and samples of a run whose summary is known. @throws DkvError RUN_DAMAGED */
export async function withTrials(directory: string, record: RunRecord, summary: Summary): Promise<FinishedRun> {
  const entries = await readJournal(path.join(directory, 'trials.jsonl'));
  return { record, summary, trials: entries.filter(isTrial), samples: await readSamples(directory) };
}

/** @returns the value @throws DkvError RUN_DAMAGED */
function expectFormat(file: string, text: string): unknown {
  let value: { readonly format?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not JSON.`, { cause: error });
  }
  if (value?.format === FORMAT) return value;
  const found = value?.format === undefined ? 'without a format' : `of format ${JSON.stringify(value.format)}`;
  throw new DkvError(
    'RUN_DAMAGED',
    `${file}: a record ${found}; this version reads format ${FORMAT}. Repeat the run, or read it with the version that made it.`,
  );
}
