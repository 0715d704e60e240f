/** Where a command writes its lines: a file, or the standard output. */
import { once } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { DkvError, messageOf } from '../errors.js';

export interface Output {
  /** Resolves when more may be written. @throws DkvError DISK_FULL */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * @param file `-` for the standard output; a file is overwritten
 * @param option that named it, for messages
 * @throws DkvError INPUT_INVALID when it cannot be made
 */
export async function openOutput(file: string, option = '--output'): Promise<Output> {
  if (file === '-') {
    return {
      async write(text) {
        // Data are exact, but for a person at a terminal.
        if (!process.stdout.write(process.stdout.isTTY ? text : Buffer.from(text))) await once(process.stdout, 'drain');
      },
      close: async () => undefined,
    };
  }
  let handle: FileHandle;
  try {
    handle = await open(file, 'w');
  } catch (error) {
    throw new DkvError('INPUT_INVALID', `${option} ${file}: ${messageOf(error)}`);
  }
  return {
    async write(text) {
      await handle.appendFile(text).catch((error: NodeJS.ErrnoException) => {
        throw error.code === 'ENOSPC' ? new DkvError('DISK_FULL', `${option} ${file}: ${error.message}`) : error;
      });
    },
    close: () => handle.close(),
  };
}
