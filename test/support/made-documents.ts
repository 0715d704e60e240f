/** Documents to prime in any number, each of its own text. */
import type { DocumentToPrime } from '../../src/serving/prime-options.js';

export function madeText(at: number, sentences = 1): string {
  return `Lamp number ${at} costs ${at % 90} euros. `.repeat(sentences).trim();
}

export function* made(count: number, sentences = 1): Generator<DocumentToPrime> {
  for (let at = 0; at < count; at++) yield { id: `ad ${at}`, text: madeText(at, sentences) };
}
