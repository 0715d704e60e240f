/** Choosing the next token from logits. */
import type { Sampling } from '../engine.js';
import type { Random } from '../random.js';

export interface Choice {
  readonly tokenId: number;
  /** Natural log of the token's probability under the unscaled logits. */
  readonly logProbability: number;
}

/** @param random needed when `sampling` has a temperature above 0 */
export function chooseToken(logits: Float32Array, sampling: Sampling | undefined, random: Random): Choice {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - logits[best]!);
  const tokenId = sampling && sampling.temperature > 0 ? sampleToken(logits, logits[best]!, sampling, random) : best;
  return { tokenId, logProbability: logits[tokenId]! - logits[best]! - Math.log(total) };
}

/** Nucleus sampling (Holtzman et al. 2020): the most probable tokens up to `topP`, renormalised. */
function sampleToken(logits: Float32Array, max: number, { temperature, topP }: Sampling, random: Random): number {
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
