/** Confidence sets for the ratio of two paired means. */
import { combinedMeans } from './combined-means.js';
import type { Dependence } from './dependence.js';
import { mean } from './describe.js';
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
 * Fieller's 95% set for the ratio of two paired means, numerator over denominator (Fieller 1954): the ratios r for which the mean of `numerator - r denominator` is not
 * told from 0 by the test that this mean has (`inferMeans`), with the standard error and the bootstrap's critical value of that very r. So it agrees with the tests of
 * both means: it holds 0 exactly where the numerator's mean is not told from 0, and is bounded exactly where the denominator's is. Should the test accept ratios on both
 * sides of some that it rejects, these belong to the set as well, so that two ends say it all.
 * @returns undefined with too few clusters, or where nothing varies and the denominator is 0
 */
export function ratioOfMeans(
  numerator: readonly number[],
  denominator: readonly number[],
  dependence: Dependence,
  resamples: Resamples,
): Ratio | undefined {
  const value = mean(numerator) / mean(denominator);
  if (!Number.isFinite(value)) return undefined;
  const rest = numerator.map((x, i) => x - value * denominator[i]!);
  // One is the other times a number: nothing is left to vary.
  const scale = Math.max(...numerator.map(Math.abs));
  if (rest.every((x) => Math.abs(x) <= 1e-12 * scale)) return { value, low: value, high: value, shape: 'interval' };
  const combined = combinedMeans(rest, denominator, dependence, resamples);
  if (!combined) return undefined;
  const { first, second, both } = combined.covariance;
  // Ratios lie on a circle, on which infinity is one of them: r is value + unit * tan(angle), from the angle 0 of the ratio of the means once around to pi, which is that ratio again.
  const unit = first > 0 && second > 0 ? Math.sqrt(first / second) : 1;
  const ratioAt = (angle: number) => value + unit * Math.tan(angle);
  const angleOf = (offset: number) => (Math.atan(offset / unit) + Math.PI) % Math.PI;
  const mark = (angle: number): Mark => ({
    angle,
    out: combined.differs(Math.cos(angle), -unit * Math.sin(angle)),
  });
  const [zero, infinity] = [mark(angleOf(-value)), mark(Math.PI / 2)];
  // Where neither is out it is the ratio with the largest t that decides.
  const others = zero.out || infinity.out ? [] : [mark(both === 0 ? Math.PI / 2 : angleOf(first / both))];
  const marks = [zero, infinity, ...others].filter(({ angle }) => angle > 0).sort((a, b) => a.angle - b.angle);
  const [outer, last] = [marks.findIndex(({ out }) => out), marks.findLastIndex(({ out }) => out)];
  if (outer < 0) return { value, low: Number.NaN, high: Number.NaN, shape: 'all' };
  const upper = ratioAt(boundary(marks[outer - 1]?.angle ?? 0, marks[outer]!.angle, mark));
  const lower = ratioAt(boundary(marks[last + 1]?.angle ?? Math.PI, marks[last]!.angle, mark));
  return infinity.out
    ? { value, low: lower, high: upper, shape: 'interval' }
    : { value, low: upper, high: lower, shape: 'outside' };
}

/** A ratio by its angle, and whether the set is without it. */
interface Mark {
  readonly angle: number;
  readonly out: boolean;
}

/** Halvings after which an angle is known to its last bits. */
const HALVINGS = 60;

/** The angle at which the set ends, between one in it and one out of it. */
function boundary(inside: number, outside: number, mark: (angle: number) => Mark): number {
  let [near, far] = [inside, outside];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (near + far) / 2;
    if (mark(middle).out) far = middle;
    else near = middle;
  }
  return near;
}
