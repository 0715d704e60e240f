/**
 * The journal of a run in its file, `trials.jsonl`: one line a trial or a rejected sample, only ever appended to. What is in it is done; a line that was
 * being written when the process died is dropped when the run goes on. A run that has ended may keep it compressed, as `trials.jsonl.gz`.
 */
import { type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { DkvError } from '../base/errors.js';
import { fileError, publish, readIfPresent } from '../base/files.js';
import { type Entry, expectFiniteEntry } from './schema/entry.js';
import { unpackTrials } from './schema/packed.js';
import { sealedLine } from './schema/sealed.js';
import { GO_ON, parseJournal, parseTrials } from './schema/trials.js';

/** A journal as it was found. */
export interface JournalContent {
  /** The file that it was read from. */
  readonly file: string;
  readonly isPacked: boolean;
  /** Of the journal, unpacked. */
  readonly bytes: Uint8Array;
}

/**
 * What there is of a journal, compressed or not.
 * @param file its name where it is not compressed
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED for two of them, and for one that cannot be unpacked
 */
export async function findJournal(file: string): Promise<JournalContent | undefined> {
  const packed = packedName(file);
  const [bytes, compressed] = [await readIfPresent(file), await readIfPresent(packed)];
  if (bytes && compressed) {
    throw new DkvError(
      'RUN_DAMAGED',
      `${file} stands beside ${packed}, and a run has one of them. Compare them (gunzip -c), and remove the one that has fewer trials.`,
    );
  }
  if (bytes) return { file, isPacked: false, bytes };
  return compressed && { file: packed, isPacked: true, bytes: await unpackTrials(compressed, packed) };
}

/**
 * Reads the journal of a finished run, which ends with a whole line.
 * @param file its name where it is not compressed
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written
 */
export async function readJournal(file: string): Promise<Entry[] | undefined> {
  const found = await findJournal(file);
  return found && parseTrials(found.bytes, found.file);
}

/**
 * Reads the journal of a run that goes on; none is an empty one. A last line without a line break is torn: it is cut off the file. A compressed journal is
 * whole.
 * @param file its name where it is not compressed
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written; nothing is cut off then
 */
export async function recoverJournal(file: string): Promise<Entry[]> {
  const found = await findJournal(file);
  if (found === undefined) return [];
  if (found.isPacked) return parseTrials(found.bytes, found.file);
  const { entries, wholeBytes } = parseJournal(found.bytes, file);
  if (wholeBytes < found.bytes.length) await truncate(file, wholeBytes);
  return entries;
}

/**
 * Compresses a journal to which nothing will be appended; one that is compressed stays as it is.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE, RUN_DAMAGED
 */
export async function packJournal(file: string): Promise<void> {
  const found = await findJournal(file);
  if (found === undefined || found.isPacked) return;
  await publish(packedName(file), await promisify(gzip)(found.bytes, { level: constants.Z_BEST_COMPRESSION }));
  await rm(file);
}

function packedName(file: string): string {
  return `${file}.gz`;
}

/** Appends entries; what has been synced survives a crash of the machine, what has been appended one of the process. */
export class JournalWriter {
  readonly #file: string;
  readonly #handle: FileHandle;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /** A compressed journal is unpacked first. @throws DkvError FILES_UNUSABLE, DISK_FULL, RUN_DAMAGED */
  static async open(file: string): Promise<JournalWriter> {
    const found = await findJournal(file);
    if (found?.isPacked) {
      await publish(file, found.bytes);
      await rm(found.file);
    }
    const handle = await open(file, 'a').catch((error: unknown) => {
      throw fileError(error, file);
    });
    return new JournalWriter(file, handle);
  }

  /**
   * @throws DkvError DISK_FULL
   * @throws RangeError for numbers that are not finite: JSON has none, and the line could not be read again
   */
  async append(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) expectFiniteEntry(entry);
    await this.#handle.appendFile(entries.map(sealedLine).join('')).catch((error: unknown) => {
      throw fileError(error, this.#file, `Free some. ${GO_ON}`);
    });
  }

  async sync(): Promise<void> {
    await this.#handle.sync();
  }

  async close(): Promise<void> {
    await this.#handle.sync();
    await this.#handle.close();
  }
}
