/**
 * The samples of a run in their file, `samples.jsonl`: what the statistics need to know of each (clusters, pools, grades) and, unless it is unwanted, their
 * texts for the report. Written once, when the run starts; every line with its checksum.
 */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { parseSamples, SAMPLES_FILE, type SampleRecord } from './schema/sample.js';
import { sealedLine } from './schema/sealed.js';

export async function writeSamples(directory: string, records: readonly SampleRecord[]): Promise<void> {
  await publish(path.join(directory, SAMPLES_FILE), records.map(sealedLine).join(''));
}

/** @throws DkvError RUN_DAMAGED naming the lines that are not what was written */
export async function readSamples(directory: string): Promise<SampleRecord[]> {
  const file = path.join(directory, SAMPLES_FILE);
  const bytes = await readIfPresent(file);
  if (bytes) return parseSamples(bytes, file);
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} is not there. Go on with the run (dkv run --resume): it is written again.`,
  );
}
