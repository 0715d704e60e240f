/** The files of `data/adworld` as texts, and what tells whether a text is the one that the dataset is made of. Knows no bank and no form. */
import { createHash } from 'node:crypto';
import path from 'node:path';

export const BANKS_FOLDER = path.resolve(import.meta.dirname, '../../../data/adworld');

/**
 * A byte order mark is no part of the text.
 * @throws Error naming the line of bytes that are not UTF-8
 */
export function textOf(bytes: Buffer): string {
  try {
    return decoded(bytes);
  } catch {
    throw new Error(`line ${firstLineNotUtf8(bytes)}: expected UTF-8, found other bytes`);
  }
}

/** SHA-256, in hexadecimal digits. Line ends of Windows, as Git may write them there, give the same. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}

/** @throws TypeError when bytes are not UTF-8 */
function decoded(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** A line feed is no part of any longer character, so lines can be decoded one by one. */
function firstLineNotUtf8(bytes: Buffer): number {
  let line = 1;
  for (let start = 0; ; line++) {
    const end = bytes.indexOf('\n', start);
    try {
      decoded(bytes.subarray(start, end < 0 ? bytes.length : end));
    } catch {
      return line;
    }
    if (end < 0) return line;
    start = end + 1;
  }
}
