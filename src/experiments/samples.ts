/**
 * The samples of a run, `samples.jsonl`: what the statistics need to know of each (clusters, pools, grades) and, unless it is unwanted, their texts
 * for the report. Written once, when the run starts.
 */
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../errors.js';
import { publish, readTextIfPresent } from '../files.js';

const sampleSchema = z.object({
  id: z.string(),
  cluster: z.string().optional(),
  /** Of a candidate: its pool, its name in it, its grade, and the lowest grade that counts as relevant. */
  pool: z.string().optional(),
  candidate: z.string().optional(),
  grade: z.number().optional(),
  relevant: z.number().optional(),
  /** Absent where texts were not to be kept. */
  texts: z
    .object({
      document: z.string(),
      query: z.string(),
      answer: z.string(),
      /** The scored text, token by token. */
      target: z.array(z.string()),
    })
    .optional(),
});

export type SampleRecord = z.infer<typeof sampleSchema>;

const SAMPLES_FILE = 'samples.jsonl';

export async function writeSamples(directory: string, records: readonly SampleRecord[]): Promise<void> {
  const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
  await publish(path.join(directory, SAMPLES_FILE), lines);
}

/** @throws DkvError RUN_DAMAGED */
export async function readSamples(directory: string): Promise<SampleRecord[]> {
  const file = path.join(directory, SAMPLES_FILE);
  const text = await readTextIfPresent(file);
  try {
    if (text === undefined) throw new Error('no such file');
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => sampleSchema.parse(JSON.parse(line)));
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not the samples of a run.`, { cause: error });
  }
}
