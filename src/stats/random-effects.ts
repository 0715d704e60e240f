/**
 * Random effects: the mean of what several units (models, training seeds) show, each known with a standard error, where the units may differ by more than
 * that. Knows nothing of runs.
 */
import { tQuantile, tTail } from './distributions.js';
import type { Interval } from './interval.js';

/** One unit's effect. */
export interface UnitEffect {
  readonly effect: number;
  /** Above 0. */
  readonly standardError: number;
}

export interface RandomEffects {
  /** Mean over units, weighted by 1 / (standard error^2 + tau^2). */
  readonly mean: number;
  /** Hartung-Knapp's. */
  readonly standardError: number;
  /** 95%, by Student's t with k - 1 degrees of freedom. */
  readonly interval: Interval;
  /** Two-sided, of a mean of 0. */
  readonly p: number;
  /** Variance of the effects between units. */
  readonly tau2: number;
  /** Cochran's Q of the common-effect model. */
  readonly q: number;
  /** Share of the units' variance that is not sampling error, (Q - (k - 1)) / Q; at least 0. */
  readonly i2: number;
  /** Where the effect of another unit of their kind would lie, 95%. */
  readonly prediction: Interval;
}

/** Fewer units have no mean: tau^2 is not known, and the interval of so few is wider than any effect. */
export const FEWEST_UNITS = 5;

const LEVEL = 0.95;

/**
 * The mean of units with random effects. tau^2 by Paule and Mandel (1982), the value at which the generalised Q is its expectation, k - 1. The standard error
 * is that of Hartung and Knapp (2001) and Sidik and Jonkman (2002), with Student's t and k - 1 degrees of freedom, and is never below the one of known
 * weights (Röver, Knapp and Friede 2015): where units are more alike than their standard errors allow, it would be too small. The prediction interval is
 * that of Higgins, Thompson and Spiegelhalter (2009) with k - 2 degrees of freedom, and Hartung and Knapp's standard error (Partlett and Riley 2017).
 * @param units `FEWEST_UNITS` or more
 */
export function randomEffects(units: readonly UnitEffect[]): RandomEffects {
  const k = units.length;
  if (k < FEWEST_UNITS) throw new RangeError(`randomEffects: ${k} units, expected ${FEWEST_UNITS} or more`);
  const q = weighted(units, 0).q;
  const tau2 = pauleMandel(units);
  const { mean, weight, q: scaled } = weighted(units, tau2);
  const standardError = Math.sqrt(Math.max(1, scaled / (k - 1)) / weight);
  const around = (half: number): Interval => ({ low: mean - half, high: mean + half });
  return {
    mean,
    standardError,
    interval: around(tQuantile((1 + LEVEL) / 2, k - 1) * standardError),
    p: 2 * tTail(Math.abs(mean) / standardError, k - 1),
    tau2,
    q,
    i2: q > 0 ? Math.max(0, (q - (k - 1)) / q) : 0,
    prediction: around(tQuantile((1 + LEVEL) / 2, k - 2) * Math.hypot(Math.sqrt(tau2), standardError)),
  };
}

/** Mean, sum of weights and generalised Q where the variance between units is `tau2`. */
function weighted(units: readonly UnitEffect[], tau2: number): { mean: number; weight: number; q: number } {
  const weights = units.map(({ standardError }) => 1 / (standardError ** 2 + tau2));
  const weight = weights.reduce((sum, w) => sum + w, 0);
  const mean = units.reduce((sum, { effect }, u) => sum + weights[u]! * effect, 0) / weight;
  const q = units.reduce((sum, { effect }, u) => sum + weights[u]! * (effect - mean) ** 2, 0);
  return { mean, weight, q };
}

/** The generalised Q falls as tau^2 grows, so that halving finds where it is k - 1; 0 where it is no more than that without any. */
function pauleMandel(units: readonly UnitEffect[]): number {
  const expected = units.length - 1;
  const isBelow = (tau2: number) => weighted(units, tau2).q > expected;
  if (!isBelow(0)) return 0;
  const effects = units.map(({ effect }) => effect);
  let low = 0;
  // Larger than any: Q is at most the sum of squares around the mean over tau^2.
  let high = (Math.max(...effects) - Math.min(...effects)) ** 2 * units.length;
  for (let middle = (low + high) / 2; middle > low && middle < high; middle = (low + high) / 2) {
    if (isBelow(middle)) low = middle;
    else high = middle;
  }
  return high;
}
