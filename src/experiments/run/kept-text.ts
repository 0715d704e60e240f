/** What a run keeps of a text. */
import { sha256 } from '../../base/bytes.js';
import type { KeptText } from '../../runs/schema/kept-text.js';

/** The text, or where texts are not kept its digest and length. */
export function keptText(text: string, keepsTexts: boolean): KeptText {
  return keepsTexts ? text : { sha256: sha256(text).toString('hex'), bytes: Buffer.byteLength(text) };
}

/** Is a text the one that was kept, whole or as its digest? */
export function isKept(kept: KeptText, text: string): boolean {
  return typeof kept === 'string' ? kept === text : kept.sha256 === sha256(text).toString('hex');
}
