/**
 * The samples of a run in their file, `samples.jsonl`: what the statistics need to know of each (clusters, pools, grades) and, unless it is unwanted, their
 * texts for the report. Written once, when the run starts; every line with its checksum. A run that has ended may keep it compressed, as `samples.jsonl.gz`.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish } from '../base/files.js';
import { type FoundLines, findLines } from './packed.js';
import { RESUME } from './schema/advice.js';
import { PACKED } from './schema/packed.js';
import type { RunRecord } from './schema/record.js';
import { parseOwnSamples, SAMPLES_FILE, type SampleRecord } from './schema/sample.js';
import { bytesOf, fileChecksum, sealedLine } from './schema/sealed.js';

/**
 * Writes them in the place of those that are there, compressed or not.
 * @returns the file's checksum, as the run's record has it
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function writeSamples(directory: string, records: readonly SampleRecord[]): Promise<string> {
  const file = path.join(directory, SAMPLES_FILE);
  const bytes = bytesOfSamples(records);
  await publish(file, bytes);
  await rm(file + PACKED, { force: true });
  return fileChecksum(bytes);
}

/** The checksum that a file of these samples has. */
export function samplesChecksum(records: readonly SampleRecord[]): string {
  return fileChecksum(bytesOfSamples(records));
}

function bytesOfSamples(records: readonly SampleRecord[]): Uint8Array {
  return bytesOf(records.map(sealedLine).join(''));
}

/**
 * @param record of the run that they are to be of
 * @throws DkvError RUN_DAMAGED for two files that say different things, for samples of another run, and naming the lines that are not what was written
 */
export async function readSamples(directory: string, record: RunRecord): Promise<SampleRecord[]> {
  const { file, bytes } = await samplesIn(directory);
  return parseOwnSamples(bytes, record, file);
}

/** The file of samples that a folder has, compressed or not, unpacked. @throws DkvError RUN_DAMAGED where there is none, or two that differ */
export async function samplesIn(directory: string): Promise<FoundLines> {
  const file = path.join(directory, SAMPLES_FILE);
  const found = await findLines(file);
  if (found) return found;
  throw new DkvError('RUN_DAMAGED', `${file} is not there. Go on with the run (${RESUME}): it is written again.`);
}
