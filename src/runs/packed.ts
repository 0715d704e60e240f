/**
 * Files of lines in a run folder, `trials.jsonl` and `samples.jsonl`: each as it was written or, in a run that has ended, compressed by gzip under the name with
 * `.gz`. What the lines are is not its concern.
 */
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { PACKED, unpackLines } from './schema/packed.js';

/** A file of lines as it was found. */
export interface FoundLines {
  /** The file that the lines were read from. */
  readonly file: string;
  readonly isCompressed: boolean;
  /** The bytes of the lines, unpacked. */
  readonly bytes: Uint8Array;
}

/**
 * Finds a file of lines, compressed or not.
 * @param file its name where it is not compressed
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED for two of them, and for one that cannot be unpacked
 */
export async function findLines(file: string): Promise<FoundLines | undefined> {
  const packed = file + PACKED;
  const [bytes, compressed] = [await readIfPresent(file), await readIfPresent(packed)];
  if (bytes && compressed) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${file} stands beside ${packed}, and a run has one of them. Compare them (gunzip -c), and remove the one that has fewer lines, or either where they are the same.`,
    );
  }
  if (bytes) return { file, isCompressed: false, bytes };
  return compressed && { file: packed, isCompressed: true, bytes: await unpackLines(compressed, packed) };
}

/**
 * Compresses a file of lines to which nothing will be appended; one that is compressed stays as it is.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE, RUN_DAMAGED
 */
export async function compressLines(file: string): Promise<void> {
  const found = await findLines(file);
  if (found === undefined || found.isCompressed) return;
  await publishCompressed(file, found.bytes);
}

/**
 * Writes lines compressed, in the place of those that are there.
 * @param file its name where it is not compressed
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function publishCompressed(file: string, lines: Uint8Array | string): Promise<void> {
  await publish(file + PACKED, await promisify(gzip)(lines, { level: constants.Z_BEST_COMPRESSION }));
  await rm(file, { force: true });
}
