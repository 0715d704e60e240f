/**
 * The journal of a run, `trials.jsonl`: one line a trial or a rejected sample, only ever appended to, each with its checksum. What is in it is done; a line
 * that was being written when the process died is dropped when the run goes on.
 */
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { DkvError } from '../base/errors.js';
import { fileError, readIfPresent } from '../base/files.js';
import { shortestFloat32 } from '../base/float32.js';
import { tryParse } from '../base/parse.js';
import { type Entry, entryKey, entrySchema, expectFiniteEntry, isTrial, sumOf } from './schema/entry.js';
import { sealedLine, unsealLines } from './sealed.js';

/**
 * Reads the journal of a finished run, which ends with a whole line.
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written
 */
export async function readJournal(file: string): Promise<Entry[] | undefined> {
  const bytes = await readIfPresent(file);
  if (!bytes) return undefined;
  const { entries, wholeBytes } = parseJournal(file, bytes);
  if (wholeBytes === bytes.length) return entries;
  throw new DkvError('RUN_DAMAGED', `${file}: its last line, ${entries.length + 1}, is torn. ${GO_ON}`);
}

/**
 * Reads the journal of a run that goes on; none is an empty one. A last line without a line break is torn: it is cut off the file.
 * @throws DkvError RUN_DAMAGED naming the lines that are not what was written; nothing is cut off then
 */
export async function recoverJournal(file: string): Promise<Entry[]> {
  const bytes = (await readIfPresent(file)) ?? Buffer.alloc(0);
  const { entries, wholeBytes } = parseJournal(file, bytes);
  if (wholeBytes < bytes.length) await truncate(file, wholeBytes);
  return entries;
}

/** What to do when entries are missing. */
export const GO_ON = 'Go on with the run (dkv run --resume): what is missing is computed again, the rest stays.';

function parseJournal(file: string, bytes: Buffer): { entries: Entry[]; wholeBytes: number } {
  const entries = unsealLines(file, bytes, checkedEntry, `Remove what is damaged. ${GO_ON}`);
  const written = new Map<string, number>();
  for (const [at, entry] of entries.entries()) {
    const before = written.get(entryKey(entry));
    // Two processes that go on with one run write some trials twice, which are the same.
    if (before !== undefined && JSON.stringify(entries[before]) !== JSON.stringify(entry)) {
      throw new DkvError(
        'RUN_DAMAGED',
        `${file}, lines ${before + 1}, ${at + 1}: two different results of ${entryKey(entry)}. Remove both. ${GO_ON}`,
      );
    }
    written.set(entryKey(entry), at);
  }
  return { entries, wholeBytes: bytes.lastIndexOf(0x0a) + 1 };
}

function checkedEntry(value: unknown): Entry {
  const parsed = tryParse(entrySchema, value);
  if (!parsed.success) throw new Error(`not an entry of a journal: ${parsed.problem}`);
  const entry = parsed.data;
  if (isTrial(entry)) {
    const sum = sumOf(entry.token_nlls);
    if (entry.token_nlls.length !== entry.num_tokens || sum !== entry.nll_sum || sum / entry.num_tokens !== entry.nll) {
      throw new Error('num_tokens, nll and nll_sum are not those of token_nlls');
    }
    const odd = entry.token_nlls.find((nll) => shortestFloat32(Math.fround(nll)) !== nll);
    if (odd !== undefined) throw new Error(`${odd} of token_nlls is no float32 number in nine digits`);
  }
  return entry;
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
