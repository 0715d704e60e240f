/**
 * The journal of a run in its file, `trials.jsonl`: one line a trial or a rejected sample, only ever appended to. What is in it is done; a line that was
 * being written when the process died is dropped when the run goes on.
 */
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { fileError, readIfPresent } from '../base/files.js';
import { type Entry, expectFiniteEntry } from './schema/entry.js';
import { sealedLine } from './schema/sealed.js';
import { GO_ON, parseJournal, parseTrials } from './schema/trials.js';

/**
 * Reads the journal of a finished run, which ends with a whole line.
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written
 */
export async function readJournal(file: string): Promise<Entry[] | undefined> {
  const bytes = await readIfPresent(file);
  return bytes && parseTrials(bytes, file);
}

/**
 * Reads the journal of a run that goes on; none is an empty one. A last line without a line break is torn: it is cut off the file.
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written; nothing is cut off then
 */
export async function recoverJournal(file: string): Promise<Entry[]> {
  const bytes = await readIfPresent(file);
  if (bytes === undefined) return [];
  const { entries, wholeBytes } = parseJournal(bytes, file);
  if (wholeBytes < bytes.length) await truncate(file, wholeBytes);
  return entries;
}

/** Appends entries; what has been synced survives a crash of the machine, what has been appended one of the process. */
export class JournalWriter {
  readonly #file: string;
  readonly #handle: FileHandle;

  private constructor(file: string, handle: FileHandle) {
    this.#file = file;
    this.#handle = handle;
  }

  /** @throws DkvError FILES_UNUSABLE, DISK_FULL */
  static async open(file: string): Promise<JournalWriter> {
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
