/** Confidence sets for the ratio of two paired means. */
import { correctionFor, covariances } from './cluster-variance.js';
import type { Dependence } from './dependence.js';
import { mean } from './describe.js';
import { inferMeans } from './mean-inference.js';
import type { Resamples } from './resamples.js';

/** The form of Fieller's set of ratios: an interval, everything outside an interval, or all numbers. */
export type RatioShape = 'interval' | 'outside' | 'all';

export interface Ratio {
  readonly value: number;
  /** The lower end of the set; for `outside` the lower end of the interval that is not in it, for `all` NaN. */
  readonly low: number;
  readonly high: number;
  readonly shape: RatioShape;
}

/**
 * Fieller's 95% set for the ratio of two paired means, numerator over denominator (Fieller 1954): all ratios r for which the mean of `numerator - r denominator` is not
 * told from 0. Covariances are cluster-robust; the critical value is that of the mean of `numerator - r denominator` at the ratio of the means, by the bootstrap
 * or Student's t as for any mean. The set is not bounded where the denominator's mean is not told from 0 by that critical value.
 * @returns undefined with too few clusters, or where nothing varies and the denominator is 0
 */
export function ratioOfMeans(
  numerator: readonly number[],
  denominator: readonly number[],
  dependence: Dependence,
  resamples: Resamples,
): Ratio | undefined {
  const [top, bottom] = [mean(numerator), mean(denominator)];
  const value = top / bottom;
  if (!Number.isFinite(value)) return undefined;
  const rest = numerator.map((x, i) => x - value * denominator[i]!);
  const [inference] = inferMeans([rest], dependence, resamples);
  // One is the other times a number: nothing is left to vary.
  const scale = Math.max(...numerator.map(Math.abs));
  if (rest.every((x) => Math.abs(x) <= 1e-12 * scale)) return { value, low: value, high: value, shape: 'interval' };
  if (!inference?.reference) return undefined;
  const deviations = [Float64Array.from(numerator, (x) => x - top), Float64Array.from(denominator, (x) => x - bottom)];
  const [dt, db] = deviations as [Float64Array, Float64Array];
  const deviation = Float64Array.from(rest);
  // The estimator that is the largest for the ratio's own mean.
  const estimators = covariances(dependence, numerator.length, correctionFor(dependence.clusters));
  const covariance = estimators.reduce((a, b) => (b(deviation, deviation) > a(deviation, deviation) ? b : a));
  const square = inference.reference.critical ** 2;
  const a = bottom ** 2 - square * covariance(db, db);
  const b = top * bottom - square * covariance(dt, db);
  const c = top ** 2 - square * covariance(dt, dt);
  const discriminant = b * b - a * c;
  if (a > 0) {
    const root = Math.sqrt(Math.max(0, discriminant));
    return { value, low: (b - root) / a, high: (b + root) / a, shape: 'interval' };
  }
  if (!(a < 0 && discriminant > 0)) return { value, low: Number.NaN, high: Number.NaN, shape: 'all' };
  const root = Math.sqrt(discriminant);
  return { value, low: (b + root) / a, high: (b - root) / a, shape: 'outside' };
}
