/** Where a command reads from: a file, or the standard input. */
import type { Readable } from 'node:stream';
import { openFile } from '../base/text-input.js';

/**
 * @param file `-` for the standard input
 * @param name for messages
 * @throws DkvError INPUT_INVALID when it cannot be opened
 */
export async function openInput(file: string, name: string): Promise<Readable> {
  return file === '-' ? process.stdin : openFile(file, name);
}
