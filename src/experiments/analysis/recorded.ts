/** Statistics under the names that they have in a run's summary. */

import type { z } from 'zod';
import type { correctedSchema, estimateSchema, GainRecord } from '../../runs/schema/gains.js';
import type { Corrected, GainSummary, Share } from '../../stats/gains.js';

export function recordedGain({ mean, median, trimmedMean, d, dAnalytic, win, p }: GainSummary): GainRecord {
  const { t, wilcoxon, signFlip } = p;
  return {
    mean,
    median,
    trimmed_mean: trimmedMean,
    d,
    d_analytic: dAnalytic,
    win,
    p: { t, wilcoxon, sign_flip: signFlip },
  };
}

export function recordedCorrection({ familySize, ...corrected }: Corrected): z.infer<typeof correctedSchema> {
  return { family_size: familySize, ...corrected };
}

type Estimate = z.infer<typeof estimateSchema>;

export function recordedShare({ share, shareFieller }: Share): { share: Estimate; share_fieller: Estimate } {
  return { share, share_fieller: shareFieller };
}
