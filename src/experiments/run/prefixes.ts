/** What a run keeps of a text that stood before a document. */
import { sha256 } from '../../base/bytes.js';
import type { Prefix } from '../../runs/schema/entry.js';

/** The text, or where texts are not kept its digest and length. */
export function prefixRecord(text: string, keepsTexts: boolean): Prefix {
  return keepsTexts ? text : { sha256: sha256(text).toString('hex'), bytes: Buffer.byteLength(text) };
}
