/**
 * Random effects: the mean of what several units (models, training seeds) show on the same samples, where the units may differ by more than the samples
 * explain. Knows nothing of runs.
 */
import { expectFiniteNumbers } from '../base/finite.js';
import { tQuantile, tTail } from './distributions.js';
import type { Interval } from './interval.js';

/** One unit's effect. */
export interface UnitEffect {
  readonly effect: number;
  /** The standard error of the effect; above 0. */
  readonly standardError: number;
}

/** What the units have in common: they were asked the same samples, so their sampling errors go together. */
export interface SharedSamples {
  /** Standard error, by cluster, of the mean of what a sample shows on average over the units; above 0. */
  readonly standardError: number;
  /** Degrees of freedom of the standard errors: clusters less one. */
  readonly freedom: number;
}

export interface RandomEffects {
  /** Mean over units, each counted once. */
  readonly mean: number;
  /** The standard error of the mean, for other units on other samples. */
  readonly standardError: number;
  /** Satterthwaite's degrees of freedom of that error. */
  readonly freedom: number;
  /** 95%, by Student's t. */
  readonly interval: Interval;
  /** The two-sided p of a mean of 0. */
  readonly p: number;
  /** Variance of the true effects between units. */
  readonly tau2: number;
  /** Share of the variance between the units' effects that their sampling errors do not explain. */
  readonly i2: number;
  /** The 95% prediction interval: where the effect of another unit of their kind would lie. */
  readonly prediction: Interval;
}

/** The number of units below which there is no mean: tau^2 is not known then, and the interval of so few is wider than any effect. */
export const FEWEST_UNITS = 5;

const LEVEL = 0.95;

/**
 * The mean of units whose sampling errors correlate, with random effects. Effects are y = mu + u + e with u independent of variance tau^2, and e of covariance S. Each
 * unit counts once: weights by the inverse of S + tau^2 would have the smallest error, but where errors correlate some are below 0, so that the mean may lie
 * outside of all effects. Of S two numbers are left, the mean variance d, and the mean covariance c, which
 * follows from the variance of the units' mean, 1'S1 / k^2 = d / k + (k - 1) c / k; that one is taken sample by sample.
 *
 * - tau^2 by the method of moments: the expected variance between effects is tau^2 + d - c (Hedges 1983; with c for correlated errors).
 * - The error of the mean is the root of 1'S1 / k^2 + tau^2 / k, which is never below that of the samples. With c = 0 and tau^2 above 0 it is s / sqrt(k), so that
 *   the test is the t-test of the units' effects.
 * - Degrees of freedom by Satterthwaite (1946): k - 1 for what is known from how units differ, those of the samples for the covariance.
 * - The prediction interval is that of Higgins, Thompson and Spiegelhalter (2009), with k - 2 degrees of freedom.
 * @param units `FEWEST_UNITS` or more
 * @throws RangeError for fewer, for effects that are not finite, and for standard errors that are not finite and above 0
 */
export function randomEffects(units: readonly UnitEffect[], shared: SharedSamples): RandomEffects {
  const k = units.length;
  if (k < FEWEST_UNITS) throw new RangeError(`randomEffects: ${k} units, expected ${FEWEST_UNITS} or more`);
  expectUsable(units, shared);
  const mean = units.reduce((sum, { effect }) => sum + effect, 0) / k;
  const between = units.reduce((sum, { effect }) => sum + (effect - mean) ** 2, 0) / (k - 1);
  const variance = units.reduce((sum, { standardError }) => sum + standardError ** 2, 0) / k;
  const known = shared.standardError ** 2;
  const covariance = (k * known - variance) / (k - 1);
  const apart = Math.max(0, variance - covariance);
  const tau2 = Math.max(0, between - apart);
  const total = known + tau2 / k;
  const together = Math.max(0, Math.min(total, covariance));
  const freedom = total ** 2 / ((total - together) ** 2 / (k - 1) + together ** 2 / shared.freedom);
  const standardError = Math.sqrt(total);
  const around = (half: number): Interval => ({ low: mean - half, high: mean + half });
  return {
    mean,
    standardError,
    freedom,
    interval: around(tQuantile((1 + LEVEL) / 2, freedom) * standardError),
    p: 2 * tTail(Math.abs(mean) / standardError, freedom),
    tau2,
    i2: tau2 > 0 ? tau2 / (tau2 + apart) : 0,
    prediction: around(tQuantile((1 + LEVEL) / 2, k - 2) * Math.sqrt(tau2 + total)),
  };
}

function expectUsable(units: readonly UnitEffect[], shared: SharedSamples): void {
  expectFiniteNumbers(
    units.map(({ effect }) => effect),
    'randomEffects, effects',
  );
  const errors = [...units, shared].map(({ standardError }) => standardError);
  for (const error of [...errors, shared.freedom]) {
    if (!(error > 0 && Number.isFinite(error)))
      throw new RangeError(`randomEffects: found ${error}, expected standard errors and degrees of freedom above 0`);
  }
}
