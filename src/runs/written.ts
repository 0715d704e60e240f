/** The texts that models wrote for a run in their file, `written.json`, with its checksum. */
import path from 'node:path';
import { publish, readIfPresent } from '../base/files.js';
import { sealedFile } from './schema/sealed.js';
import { parseWritten, WRITTEN_FILE, type Written } from './schema/written.js';

/**
 * Reads the texts that models wrote for a run.
 * @returns undefined where there are none
 * @throws DkvError RUN_DAMAGED
 */
export async function readWritten(directory: string): Promise<Written | undefined> {
  const file = path.join(directory, WRITTEN_FILE);
  const bytes = await readIfPresent(file);
  return bytes && parseWritten(bytes, file);
}

/**
 * Writes the texts that models wrote for a run.
 * @throws DkvError DISK_FULL, FILES_UNUSABLE
 */
export async function writeWritten(directory: string, written: Written): Promise<void> {
  await publish(path.join(directory, WRITTEN_FILE), sealedFile(written));
}
