/** A finished run in its folder: its summary, and all that reports are made of, read back as they were written. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { goOnCommand } from './go-on.js';
import { readJournal } from './journal.js';
import { readRecord } from './record.js';
import { readSamples } from './samples.js';
import { ownerOf } from './schema/journal-head.js';
import type { RunRecord } from './schema/record.js';
import { expectSummaryOf, type FinishedRun, finishedRun } from './schema/run.js';
import { sealedFile } from './schema/sealed.js';
import { parseSummary, SUMMARY_FILE, type Summary } from './schema/summary.js';
import { TRIALS_FILE } from './schema/trials.js';

export async function writeSummary(directory: string, summary: Summary): Promise<void> {
  await publish(path.join(directory, SUMMARY_FILE), sealedFile(summary));
}

/**
 * Reads a finished run from its folder: its configuration, its summary, its samples and its trials.
 * @throws DkvError INPUT_INVALID for a folder that holds no run or an unfinished one, RUN_DAMAGED naming the file and what in it is not as it was
 * written
 */
export async function readRun(directory: string): Promise<FinishedRun> {
  const { record, summary } = await readSummary(directory);
  return withTrials(directory, record, summary);
}

/**
 * Reads a summary, which equals the one that was written.
 * @throws DkvError INPUT_INVALID for a folder that holds no run or an unfinished one, RUN_DAMAGED naming the field, also for another format
 */
export async function readSummary(directory: string): Promise<{ record: RunRecord; summary: Summary }> {
  const record = await readRecord(directory);
  if (record === undefined) {
    throw new DkvError('INPUT_INVALID', `${directory} is not a run folder: it has no run.json. "dkv run" makes one.`);
  }
  const summary = await findSummary(directory, record);
  if (summary === undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${directory} holds a run that is not finished: it has no summary.json. Finish it with: ${goOnCommand(record, directory)}`,
    );
  }
  return { record, summary };
}

/**
 * The summary that a run's folder has; undefined where the run is not finished.
 * @throws DkvError RUN_DAMAGED
 */
export async function findSummary(directory: string, record: RunRecord): Promise<Summary | undefined> {
  const file = path.join(directory, SUMMARY_FILE);
  const bytes = await readIfPresent(file);
  if (bytes === undefined) return undefined;
  const summary = parseSummary(bytes, file);
  expectSummaryOf(record, summary, file);
  return summary;
}

/**
 * Adds the trials and samples to a run whose summary is known. It has no trials where the folder has no journal.
 * @throws DkvError RUN_DAMAGED
 */
export async function withTrials(directory: string, record: RunRecord, summary: Summary): Promise<FinishedRun> {
  const journal = await readJournal(path.join(directory, TRIALS_FILE), ownerOf(record));
  return finishedRun(record, summary, await readSamples(directory, record), journal);
}
