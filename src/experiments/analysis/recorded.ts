/** Statistics under the names that they have in a run's summary. */

import type { z } from 'zod';
import type { correctedSchema, GainRecord, SHARE } from '../../runs/schema/gains.js';
import type { Corrected, Estimate, GainSummary, Share } from '../../stats/gains.js';

/** What is recorded of a capped gain, where the vocabulary's size is known. */
export interface Capped {
  readonly mean: Estimate;
  /** The share of samples whose baseline NLL per token is above the cap. */
  readonly above: number | null;
}

export function recordedGain(gain: GainSummary, capped?: Capped): GainRecord {
  const { mean, median, trimmedMean, robustD, d, win, ties, topShare, effectiveSamples, p } = gain;
  return {
    mean,
    median,
    trimmed_mean: trimmedMean,
    robust_d: robustD,
    ...(capped && { capped: capped.mean, above_cap: capped.above }),
    d,
    win,
    ties,
    top_share: topShare,
    effective_samples: effectiveSamples,
    p: { mean: p.mean, t: p.t, wilcoxon: p.wilcoxon, sign_flip: p.signFlip },
  };
}

export function recordedCorrection({ familySize, ...corrected }: Corrected): z.infer<typeof correctedSchema> {
  return { family_size: familySize, ...corrected };
}

interface ShareRecord {
  readonly share: z.infer<typeof SHARE.share>;
  readonly share_trimmed: Estimate;
}

export function recordedShare({ share, shareTrimmed }: Share): ShareRecord {
  return { share, share_trimmed: shareTrimmed };
}

const NONE = { value: null, low: null, high: null };

/** The share of a comparison that is no part of anything. */
export const NO_SHARE: ShareRecord = { share: NONE, share_trimmed: NONE };
