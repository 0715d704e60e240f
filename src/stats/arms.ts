/**
 * Arms of an experiment whose units were randomised and decide more than once each: means over decisions, differences between arms, and whether the arms got
 * their shares of units.
 *
 * A unit is a cluster: its decisions are not independent, and how many there are is the unit's own. A mean over decisions is then a ratio of two sums over units,
 * and its variance is that of the units' sums of deviations from it (linearisation: Deng, Knoblich and Lu 2018; Cochran 1977, 6.3), with the correction CR2 and
 * the degrees of freedom of Bell and McCaffrey (2002). Arms have no unit in common, so variances add up, and Welch's formula gives the degrees
 * of a difference. With one decision a unit this is Welch's t-test.
 */
import { cr2OfSums, satterthwaiteOfSizes } from './cluster-variance.js';
import { chiSquareTail, normalQuantile, tQuantile, tTail } from './distributions.js';

/** An arm's units: for each the sum of its decisions' rewards, and their number, one or more. */
export interface ArmUnits {
  readonly rewards: readonly number[];
  readonly decisions: readonly number[];
}

export interface ArmMean {
  readonly units: number;
  /** The mean over decisions; NaN without any. */
  readonly mean: number;
  /** The variance of the mean; NaN with fewer than two units. */
  readonly variance: number;
  /** Degrees of freedom of the variance. */
  readonly degrees: number;
}

export function armMean({ rewards, decisions }: ArmUnits): ArmMean {
  const samples = decisions.reduce((sum, count) => sum + count, 0);
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / samples;
  const units = decisions.length;
  if (units < 2) return { units, mean, variance: Number.NaN, degrees: Number.NaN };
  const deviations = rewards.map((reward, u) => reward - mean * decisions[u]!);
  const variance = cr2OfSums(deviations, deviations, decisions, samples);
  return { units, mean, variance, degrees: satterthwaiteOfSizes(decisions) };
}

const LEVEL = 0.95;

/** The two-sided test at 5% and the power that numbers of units are reckoned for. */
const POWER = 0.8;
const REACH = normalQuantile((1 + LEVEL) / 2) + normalQuantile(POWER);

/** A number with a 95% interval; without ends where nothing varies or there are too few units. */
interface Bounded {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export interface ArmDifference extends Bounded {
  readonly degrees: number;
  /** P of no difference, two-sided; NaN where nothing varies or there are too few units. */
  readonly p: number;
  /** The difference that so many units show with a power of 80%, by the normal approximation. */
  readonly detectable: number;
  /** The number of units of both arms, in their present proportion, that show a difference of this size with a power of 80%. */
  unitsNeeded(difference: number): number;
}

export function armInterval({ mean, variance, degrees }: ArmMean): Bounded {
  return bounded(mean, variance, degrees);
}

function bounded(value: number, variance: number, degrees: number): Bounded {
  const half = variance > 0 ? tQuantile((1 + LEVEL) / 2, degrees) * Math.sqrt(variance) : Number.NaN;
  return { value, low: value - half, high: value + half };
}

/** The mean of one arm less that of another. */
export function armDifference(arm: ArmMean, control: ArmMean): ArmDifference {
  const value = arm.mean - control.mean;
  const variance = arm.variance + control.variance;
  const degrees = variance ** 2 / (arm.variance ** 2 / arm.degrees + control.variance ** 2 / control.degrees);
  const error = variance > 0 ? Math.sqrt(variance) : Number.NaN;
  return {
    ...bounded(value, variance, degrees),
    degrees,
    p: 2 * tTail(Math.abs(value) / error, degrees),
    detectable: REACH * error,
    unitsNeeded: (difference) => Math.ceil((arm.units + control.units) * ((REACH * error) / difference) ** 2),
  };
}

export interface SampleRatio {
  readonly chiSquare: number;
  readonly degrees: number;
  readonly p: number;
}

/**
 * Pearson's chi-square test of counts of units against the shares that the arms should have (Fabijan et al. 2019: a mismatch says that the comparison
 * is not one of like with like).
 * @param shares two or more that add up to 1
 */
export function sampleRatio(units: readonly number[], shares: readonly number[]): SampleRatio {
  const all = units.reduce((sum, count) => sum + count, 0);
  const chiSquare = units.reduce((sum, count, a) => sum + (count - all * shares[a]!) ** 2 / (all * shares[a]!), 0);
  const degrees = units.length - 1;
  return { chiSquare, degrees, p: chiSquareTail(chiSquare, degrees) };
}
