/** What a number of samples can show. Normal approximations, which at 20 samples and more are off by a few percent. */
import { normalQuantile } from './distributions.js';

/** The smallest Cohen's d that a two-sided test at 5% finds with the given power. */
export function detectableD(samples: number, power = 0.8): number {
  return (normalQuantile(0.975) + normalQuantile(power)) / Math.sqrt(samples);
}

/** Samples for showing that an effect of 0 lies within `margin` (Cohen's d) of 0 by two one-sided tests at 5%. */
export function samplesForEquivalence(margin: number, power = 0.8): number {
  return Math.ceil(((normalQuantile(0.95) + normalQuantile(1 - (1 - power) / 2)) / margin) ** 2);
}
