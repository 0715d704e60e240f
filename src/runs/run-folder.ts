/** A finished run in its folder: its summary, and all that reports are made of, read back as they were written. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish } from '../base/files.js';
import { goOnCommand, namingGoOn } from './go-on.js';
import { packJournal, readJournal } from './journal.js';
import { compressLines, findLines, publishCompressed } from './packed.js';
import { readRecord } from './record.js';
import { readSamples } from './samples.js';
import { ownerOf } from './schema/journal-head.js';
import { PACKED } from './schema/packed.js';
import { RECORD_FILE, type RunRecord } from './schema/record.js';
import { expectSummaryOf, type FinishedRun, finishedRun } from './schema/run.js';
import { SAMPLES_FILE } from './schema/sample.js';
import { sealedFile } from './schema/sealed.js';
import { parseSummary, SUMMARY_FILE, type Summary } from './schema/summary.js';
import { TRIALS_FILE } from './schema/trials.js';

/**
 * Writes a summary, in the place of a compressed one compressed.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function writeSummary(directory: string, summary: Summary): Promise<void> {
  const file = path.join(directory, SUMMARY_FILE);
  const write = existsSync(file + PACKED) ? publishCompressed : publish;
  await write(file, sealedFile(summary));
}

/** Tells whether a folder holds a run that has ended; its files are not read. */
export function holdsFinishedRun(directory: string): boolean {
  const isThere = (name: string) => existsSync(path.join(directory, name));
  return isThere(RECORD_FILE) && [SUMMARY_FILE, SUMMARY_FILE + PACKED].some(isThere);
}

/**
 * Packs the trials of a finished run, and compresses its samples and its summary. What is packed stays as it is.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE, RUN_DAMAGED
 */
export async function packRun(directory: string): Promise<void> {
  await packJournal(path.join(directory, TRIALS_FILE));
  for (const name of [SAMPLES_FILE, SUMMARY_FILE]) await compressLines(path.join(directory, name));
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
  const summary = await namingGoOn(record, directory, () => findSummary(directory, record));
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
  const found = await findLines(path.join(directory, SUMMARY_FILE));
  if (found === undefined) return undefined;
  const summary = parseSummary(found.bytes, found.file);
  expectSummaryOf(record, summary, found.file);
  return summary;
}

/**
 * Says of the files of a run that could be read which ones stand there in two forms, as a process leaves them that is killed between making the one and removing
 * the other.
 */
export function heldTwice(directory: string, record: RunRecord): string[] {
  const files = [SAMPLES_FILE, TRIALS_FILE, SUMMARY_FILE].map((name) => path.join(directory, name));
  return files
    .filter((file) => existsSync(file) && existsSync(file + PACKED))
    .map(
      (file) =>
        `${file} and ${file}${PACKED} are both there, and one holds all that the other does: it is what was read. The other is removed by: ${goOnCommand(record, directory)}`,
    );
}

/**
 * Adds the trials and samples to a run whose summary is known. It has no trials where the folder has no journal.
 * @throws DkvError RUN_DAMAGED
 */
export async function withTrials(directory: string, record: RunRecord, summary: Summary): Promise<FinishedRun> {
  return namingGoOn(record, directory, async () => {
    const journal = await readJournal(path.join(directory, TRIALS_FILE), ownerOf(record));
    return finishedRun(record, summary, await readSamples(directory, record), journal);
  });
}
