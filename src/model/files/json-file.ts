/** JSON files of a checkpoint folder. What stands in place of one (nothing, a folder, a Git LFS pointer, other bytes) is called by its name. */
import { open, readFile, stat } from 'node:fs/promises';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileError } from '../../base/files.js';

/**
 * @param purpose what the file is for, as a sentence
 * @throws DkvError CHECKPOINT_INVALID
 */
export async function readJson(file: string, purpose: string): Promise<unknown> {
  const json = await readJsonIfPresent(file);
  if (json === undefined) throw new DkvError('CHECKPOINT_INVALID', `${file}: no such file. ${purpose}`);
  return json;
}

/**
 * Reads a JSON file; undefined where there is none.
 * @throws DkvError CHECKPOINT_INVALID
 */
export async function readJsonIfPresent(file: string): Promise<unknown> {
  if ((await fileSize(file)) === undefined) return undefined;
  const bytes = await readFile(file).catch((error: unknown) => {
    throw fileError(error, file);
  });
  return parseJsonFile(bytes, file);
}

/**
 * The size of a file; undefined where there is none, or where a link leads nowhere.
 * @throws DkvError CHECKPOINT_INVALID for something that is not a file: a folder, or a pipe that would be waited for; FILES_UNUSABLE
 */
export async function fileSize(file: string): Promise<number | undefined> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw fileError(error, file);
  });
  if (!found || found.isFile()) return found?.size;
  const kind = found.isDirectory() ? 'a folder stands in its place' : 'it is no file';
  throw new DkvError('CHECKPOINT_INVALID', `${file}: ${kind}.`);
}

/** @param file named in errors @throws DkvError CHECKPOINT_INVALID */
function parseJsonFile(bytes: Uint8Array, file: string): unknown {
  const invalid = (reason: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${reason}`);
  expectNoPointer(bytes, file);
  if (bytes.length === 0) throw invalid('the file is empty. Download it again.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw invalid('not UTF-8 text, as JSON has to be.');
  }
  if (text.startsWith('\ufeff')) {
    throw invalid('begins with a byte order mark, which JSON does not allow. Save it as UTF-8 without one.');
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`not JSON: ${messageOf(error)}.`);
  }
}

/** @throws DkvError CHECKPOINT_INVALID when something else stands in place of a file that may be there; FILES_UNUSABLE */
export async function expectFileOrNothing(file: string): Promise<void> {
  if ((await fileSize(file)) === undefined) return;
  const handle = await open(file).catch((error: unknown) => {
    throw fileError(error, file);
  });
  try {
    const { buffer } = await handle.read(Buffer.alloc(LFS_POINTER.length), 0, LFS_POINTER.length, 0);
    expectNoPointer(buffer, file);
  } finally {
    await handle.close();
  }
}

const LFS_POINTER = Buffer.from('version https://git-lfs.github.com/spec/');

/** @throws DkvError CHECKPOINT_INVALID when the file is the note that Git LFS leaves in place of a large file */
function expectNoPointer(bytes: Uint8Array, file: string): void {
  if (!LFS_POINTER.equals(bytes.subarray(0, LFS_POINTER.length))) return;
  throw new DkvError(
    'CHECKPOINT_INVALID',
    `${file}: a Git LFS pointer, not the file itself: the repository was cloned without Git LFS. Run "git lfs pull" in that folder.`,
  );
}
