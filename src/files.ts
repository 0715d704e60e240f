/** Small things about files that several rooms need. */
import { readFile } from 'node:fs/promises';

/** The text of a file, or undefined when there is none. Other errors are thrown. */
export async function readTextIfPresent(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
