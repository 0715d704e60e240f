/**
 * Files of lines in a run folder, `trials.jsonl` and `samples.jsonl`: each as it was written or, in a run that has ended, compressed by gzip under the name with
 * `.gz`. A process that ends between writing the one and removing the other leaves both. What the lines are is not its concern.
 */
import { rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { DkvError } from '../base/errors.js';
import { publish, readIfPresent } from '../base/files.js';
import { PACKED, unpackLines } from './schema/packed.js';
import { wholeLines } from './schema/sealed.js';

/** A file of lines as it was found. */
export interface FoundLines {
  /** The file that the lines were read from. */
  readonly file: string;
  readonly isCompressed: boolean;
  /** The bytes of the lines, unpacked. */
  readonly bytes: Uint8Array;
  /** The other one of the two files, which holds nothing that is not in this one; undefined where there is none. */
  readonly beside?: string;
}

/**
 * What the lines of a file say, one after the other, as texts that are equal where two files say the same.
 * @throws DkvError RUN_DAMAGED
 */
export type Said = (bytes: Uint8Array, file: string) => readonly string[];

const linesThemselves: Said = (bytes) =>
  new TextDecoder()
    .decode(bytes.subarray(0, wholeLines(bytes)))
    .split('\n')
    .slice(0, -1);

/**
 * Finds a file of lines, compressed or not. Of two files the one that says all that the other does, in the same order: the compressed one if both say the same.
 * @param file its name where it is not compressed
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED for one that cannot be unpacked, and for two of them of which one is damaged, or that say different things
 */
export async function findLines(file: string, said = linesThemselves): Promise<FoundLines | undefined> {
  const packed = file + PACKED;
  const [bytes, compressed] = [await readIfPresent(file), await readIfPresent(packed)];
  const unpacked = async () => ({ file: packed, isCompressed: true, bytes: await unpackLines(compressed!, packed) });
  if (!bytes) return compressed && unpacked();
  const plain = { file, isCompressed: false, bytes };
  if (!compressed) return plain;
  const [one, other] = await Promise.all([
    whatIsSaid(plain, said),
    unpacked().then((found) => whatIsSaid(found, said), failed),
  ]);
  if (one.error && other.error) throw one.error;
  if (one.error) throw damagedBeside(file, packed, one.error);
  if (other.error) throw damagedBeside(packed, file, other.error);
  const [shorter, longer] = one.said.length > other.said.length ? [other, one] : [one, other];
  const at = shorter.said.findIndex((line, l) => line !== longer.said[l]);
  if (at < 0) return { ...longer.found, beside: shorter.found.file };
  throw new DkvError(
    'RUN_DAMAGED',
    `${file} (${one.said.length} entries) and ${packed} (${other.said.length}) are both there and say different things from entry ${at + 1} on, where a run has one of them. Move one out of the folder and read the run again (dkv report): what is not the run’s is refused.`,
  );
}

type Heard =
  | { readonly found: FoundLines; readonly said: readonly string[]; readonly error?: undefined }
  | { readonly error: DkvError };

function failed(error: unknown): { error: DkvError } {
  if (error instanceof DkvError) return { error };
  throw error;
}

async function whatIsSaid(found: FoundLines, said: Said): Promise<Heard> {
  try {
    return { found, said: said(found.bytes, found.file) };
  } catch (error) {
    return failed(error);
  }
}

function damagedBeside(damaged: string, whole: string, cause: DkvError): DkvError {
  return new DkvError(
    'RUN_DAMAGED',
    `${damaged} is not what was written, and ${whole} is there as well and can be read: a run has one of them. Move ${damaged} out of the folder.`,
    { cause },
  );
}

/** Removes the other one of two files, of which nothing is lost, and says so. */
export async function removeBeside(
  { file, beside }: Pick<FoundLines, 'file' | 'beside'>,
  onNotice?: (notice: string) => void,
): Promise<void> {
  if (beside === undefined) return;
  await rm(beside);
  onNotice?.(`${beside} is removed: all that it held is in ${file}.`);
}

/**
 * Compresses a file of lines to which nothing will be appended; one that is compressed stays as it is.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE, RUN_DAMAGED
 */
export async function compressLines(file: string): Promise<void> {
  const found = await findLines(file);
  if (found?.isCompressed) await removeBeside(found);
  else if (found) await publishCompressed(file, found.bytes);
}

/**
 * Writes lines compressed, in the place of those that are there.
 * @param file its name where it is not compressed
 * @param strategy of zlib: the usual one looks for strings that occur again, `Z_FILTERED` is better with random digits
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function publishCompressed(
  file: string,
  lines: Uint8Array | string,
  strategy = constants.Z_DEFAULT_STRATEGY,
): Promise<void> {
  await publish(file + PACKED, await promisify(gzip)(lines, { level: constants.Z_BEST_COMPRESSION, strategy }));
  await rm(file, { force: true });
}
