/**
 * The journal of a run in its file, `trials.jsonl`: a line that says which run it is of, then one a trial or a rejected sample, only ever appended to. What is in it is done; a line that was
 * being written when the process died is dropped when the run goes on. A run that has ended may keep it packed and compressed, as `trials.jsonl.gz`.
 */
import { type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { constants } from 'node:zlib';
import { fileError, publish } from '../base/files.js';
import { packTrials } from './pack-trials.js';
import { type FoundLines, findLines, publishCompressed, removeBeside } from './packed.js';
import { GO_ON } from './schema/advice.js';
import { type Entry, expectFiniteEntry } from './schema/entry.js';
import { afterHead, headLine, type JournalHead, type JournalOwner } from './schema/journal-head.js';
import { PACKED } from './schema/packed.js';
import { isPacked } from './schema/packed-trials.js';
import { sealedLineAfter } from './schema/sealed.js';
import { headOf, type Journal, parseJournal, parseWholeJournal } from './schema/trials.js';

/**
 * Finds the journal of a run, packed, compressed, or as it was written. Of two the one that has all entries of the other; in which form is no matter.
 * @param file its name where it is not compressed
 * @throws DkvError as `findLines`
 */
export function findJournal(file: string, owner?: JournalOwner): Promise<FoundLines | undefined> {
  return findLines(file, (bytes, name) => parseJournal(bytes, name, owner).entries.map((one) => JSON.stringify(one)));
}

/**
 * Reads the journal of a finished run, which ends with a whole line.
 * @param file its name where it is not compressed
 * @returns undefined where there is none
 * @throws DkvError RUN_DAMAGED naming the run that it is of where that is another one, or the lines that are not what was written
 */
export async function readJournal(file: string, owner: JournalOwner): Promise<Journal | undefined> {
  const found = await findJournal(file, owner);
  return found && parseWholeJournal(found.bytes, found.file, owner);
}

/**
 * Reads the journal of a run that goes on; none is an empty one. A last line without a line break is torn: it is cut off the file. Another file beside it that
 * holds nothing else is removed.
 * @param file its name where it is not compressed
 * @param onNotice is told what is removed
 * @throws DkvError RUN_DAMAGED as `readJournal` for all but a torn line; nothing is cut off or removed then
 */
export async function recoverJournal(
  file: string,
  owner: JournalOwner,
  onNotice?: (notice: string) => void,
): Promise<Journal> {
  const found = await findJournal(file, owner);
  if (found === undefined) return { file, entries: [], isPacked: false, lineOf: (entry) => entry + 1 };
  const { wholeBytes, ...journal } = parseJournal(found.bytes, found.file, owner);
  await removeBeside(found, onNotice);
  if (wholeBytes < found.bytes.length) {
    if (found.isCompressed) await publishCompressed(file, found.bytes.subarray(0, wholeBytes));
    else await truncate(file, wholeBytes);
  }
  return journal;
}

/**
 * Packs and compresses a journal to which nothing will be appended; one that is packed stays as it is.
 * @param file its name where it is not compressed
 * @throws DkvError DISK_FULL, FILES_UNUSABLE, RUN_DAMAGED
 */
export async function packJournal(file: string): Promise<void> {
  const found = await findJournal(file);
  if (found === undefined) return;
  if (isPacked(found.bytes) && found.isCompressed) return removeBeside(found);
  const { entries } = parseWholeJournal(found.bytes, found.file);
  await publishPacked(file, isPacked(found.bytes) ? found.bytes : packTrials(headOf(found.bytes).head, entries));
}

/**
 * Writes packed trials compressed, in the place of those that are there.
 * @param file its name where it is not compressed
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function publishPacked(file: string, packed: Uint8Array | string): Promise<void> {
  await publishCompressed(file, packed, constants.Z_FILTERED);
}

/** Appends entries; what has been synced survives a crash of the machine, what has been appended one of the process. */
export class JournalWriter {
  readonly #file: string;
  readonly #handle: FileHandle;
  /** What the checksums of lines go on from. */
  readonly #before: number;

  private constructor(file: string, handle: FileHandle, before: number) {
    this.#file = file;
    this.#handle = handle;
    this.#before = before;
  }

  /**
   * A compressed journal is unpacked first. One that was packed, or that does not say which run it is of, is written anew, as one that does.
   * @throws DkvError FILES_UNUSABLE, DISK_FULL, RUN_DAMAGED
   */
  static async open(file: string, owner: JournalOwner): Promise<JournalWriter> {
    const { head } = owner;
    const found = await findJournal(file, owner);
    if (!found || !headOf(found.bytes).head)
      await publish(file, bound(head, found && parseJournal(found.bytes, found.file, owner)));
    else if (found.isCompressed) await publish(file, found.bytes);
    await rm(file + PACKED, { force: true });
    const handle = await open(file, 'a').catch((error: unknown) => {
      throw fileError(error, file);
    });
    return new JournalWriter(file, handle, afterHead(head));
  }

  /**
   * @throws DkvError DISK_FULL
   * @throws RangeError for numbers that are not finite: JSON has none, and the line could not be read again
   */
  async append(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) expectFiniteEntry(entry);
    await this.#handle
      .appendFile(entries.map((entry) => sealedLineAfter(this.#before, entry)).join(''))
      .catch((error: unknown) => {
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

/** A journal that begins with its run. */
function bound(head: JournalHead, { entries }: Pick<Journal, 'entries'> = { entries: [] }): string {
  const before = afterHead(head);
  return headLine(head) + entries.map((entry) => sealedLineAfter(before, entry)).join('');
}
