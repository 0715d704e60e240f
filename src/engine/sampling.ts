/** Choosing the next token from logits by chance. */

import type { Random } from '../base/random.js';
import type { Sampling } from './engine.js';

/**
 * Nucleus sampling (Holtzman et al. 2020): the most probable tokens up to `topP`, renormalised.
 * @param max the largest of the logits
 */
export function sampleToken(
  logits: Float32Array,
  max: number,
  { temperature, topP }: Sampling,
  random: Random,
): number {
  const weight = (logit: number) => Math.exp((logit - max) / temperature);
  let total = 0;
  for (const logit of logits) total += weight(logit);
  let lowest = Number.NEGATIVE_INFINITY;
  let kept = total;
  if (topP < 1) {
    const sorted = logits.slice().sort();
    kept = 0;
    for (let i = sorted.length - 1; i >= 0 && kept < topP * total; i--) {
      lowest = sorted[i]!;
      kept += weight(lowest);
    }
  }
  let left = random.float() * kept;
  let last = 0;
  for (let i = 0; i < logits.length; i++) {
    if (logits[i]! < lowest) continue;
    last = i;
    left -= weight(logits[i]!);
    if (left < 0) break;
  }
  return last;
}
