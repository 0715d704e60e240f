/** Where a command reads from: a file, or the standard input. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { DkvError, messageOf } from '../errors.js';

/**
 * @param file `-` for the standard input
 * @param name for messages
 * @throws DkvError INPUT_INVALID when it cannot be opened
 */
export async function openInput(file: string, name: string): Promise<Readable> {
  if (file === '-') return process.stdin;
  const stream = createReadStream(file);
  await once(stream, 'open').catch((error) => {
    throw new DkvError('INPUT_INVALID', `${name}: ${messageOf(error)}`);
  });
  return stream;
}
