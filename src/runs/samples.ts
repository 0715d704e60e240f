/**
 * The samples of a run, `samples.jsonl`: what the statistics need to know of each (clusters, pools, grades) and, unless it is unwanted, their texts
 * for the report. Written once, when the run starts; every line with its checksum.
 */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { tryParse } from '../base/parse.js';
import { GO_ON } from './journal.js';
import { type Entry, entryKey, isRejection } from './schema/entry.js';
import type { Experiment } from './schema/experiment.js';
import { type SampleRecord, sampleSchema } from './schema/sample.js';
import { sealedLine, unsealLines } from './sealed.js';

export const SAMPLES_FILE = 'samples.jsonl';

export async function writeSamples(directory: string, records: readonly SampleRecord[]): Promise<void> {
  await publish(path.join(directory, SAMPLES_FILE), records.map(sealedLine).join(''));
}

const ADVICE = 'Remove the file and go on with the run (dkv run --resume): it is written again.';

/** @throws DkvError RUN_DAMAGED naming the lines that are not what was written */
export async function readSamples(directory: string): Promise<SampleRecord[]> {
  const file = path.join(directory, SAMPLES_FILE);
  const bytes = await readIfPresent(file);
  if (!bytes)
    throw new DkvError(
      'RUN_DAMAGED',
      `${file} is not there. Go on with the run (dkv run --resume): it is written again.`,
    );
  const records = unsealLines(file, bytes, checkedSample, ADVICE);
  if (bytes.at(-1) === 0x0a) return records;
  throw new DkvError('RUN_DAMAGED', `${file}: its last line, ${records.length + 1}, is torn. ${ADVICE}`);
}

function checkedSample(value: unknown): SampleRecord {
  const parsed = tryParse(sampleSchema, value);
  if (parsed.success) return parsed.data;
  throw new Error(`not a sample of a run: ${parsed.problem}`);
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
