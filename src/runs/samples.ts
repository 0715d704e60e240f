/**
 * The samples of a run, `samples.jsonl`: what the statistics need to know of each (clusters, pools, grades) and, unless it is unwanted, their texts
 * for the report. Written once, when the run starts; every line with its checksum.
 */
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import type { Experiment } from './experiment.js';
import { type Entry, entryKey, GO_ON, isRejection } from './journal.js';
import { sealedLine, unsealLines } from './sealed.js';

const sampleSchema = z.strictObject({
  id: z.string(),
  cluster: z.string().optional(),
  /** Of a candidate: its pool, its name in it, its grade, and the lowest grade that counts as relevant. */
  pool: z.string().optional(),
  candidate: z.string().optional(),
  grade: z.number().optional(),
  relevant: z.number().optional(),
  /** That the texts hold as they are written, such as `<bos>`. */
  control_tokens: z.array(z.string()).optional(),
  /** Absent where texts were not to be kept. */
  texts: z
    .strictObject({
      document: z.string(),
      query: z.string(),
      answer: z.string(),
      /** The scored text, token by token. */
      target: z.array(z.string()),
    })
    .optional(),
});

export type SampleRecord = z.infer<typeof sampleSchema>;

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
  const parsed = sampleSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Error('not a sample of a run');
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
