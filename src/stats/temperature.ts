/**
 * How much of a gain is calibration: NLLs of two arms, each at the temperature that suits it best. A temperature is fitted on the arm's own samples, and only to
 * score others: whole clusters are dealt to folds, and each fold is scored with what the other folds chose. What a better temperature alone would give is
 * the calibration part of a gain; what remains is not a matter of how sharp an arm's distributions are.
 */
import { foldsOf } from './cross-fitting.js';
import type { Partition } from './dependence.js';
import { mean } from './describe.js';
import { type Estimate, estimate, type Sampling } from './gains.js';
import { AT_ONE, INVERSE_TEMPERATURES } from './inverse-temperatures.js';
import { equivalenceOfMean, inferMeans, intervalOfMean } from './mean-inference.js';
import { type TemperedCurve, temperedCurve } from './tempered-curve.js';

/** A token's NLL at temperature 1 and at others. */
export interface TemperedToken {
  readonly atOne: number;
  readonly curve: TemperedCurve;
}

/**
 * @param nlls [inverse temperatures] of each token, token after token, as `engine.scoreTempered` gives them
 * @param vocabulary words that the model knows
 */
export function temperedTokens(nlls: ArrayLike<number>, vocabulary: number): TemperedToken[] {
  const count = INVERSE_TEMPERATURES.length;
  return Array.from({ length: nlls.length / count }, (_, token) => {
    const own = Array.from(INVERSE_TEMPERATURES, (_inverse, b) => nlls[token * count + b]!);
    return { atOne: own[AT_ONE]!, curve: temperedCurve(own, vocabulary) };
  });
}

/** A temperature that was fitted. */
export interface FittedTemperature {
  /** The temperature fitted on all samples. */
  readonly value: number;
  /** The lowest of the temperatures that folds were scored with; `high` is the highest. */
  readonly low: number;
  readonly high: number;
}

/** Gains of a treatment over a baseline, in nats per token: positive when the treatment is better. */
export interface TemperatureEffect {
  /** The gain with both arms at temperature 1. */
  readonly atOne: Estimate;
  /** The gain with each arm at its own temperature. */
  readonly remaining: Estimate;
  /** The difference of the two, sample by sample: the gain at temperature 1 minus the remaining gain. */
  readonly calibration: Estimate;
  /** The p-value of the test that the remaining gain lies within the margin around 0, by clusters; null with too few of them. */
  readonly equivalence: number | null;
  /** The baseline's temperatures, one for each kind of token that has its own. */
  readonly baseline: readonly FittedTemperature[];
  readonly treatment: readonly FittedTemperature[];
}

export interface TemperatureOptions {
  /** The largest NLL that a token counts with; no cap by default. */
  readonly cap?: number;
  /** Gives the first token of each sample and the later ones temperatures of their own; false by default. */
  readonly apart?: boolean;
}

/** An arm's samples, mean NLL per token. */
export interface TemperedArm {
  readonly atOne: readonly number[];
  /** The mean NLLs at the temperatures that the other folds chose. */
  readonly own: readonly number[];
  /** The temperatures, one for each kind of token that has its own. */
  readonly temperatures: readonly FittedTemperature[];
}

/**
 * Steps between the temperatures that are compared before the best of them is looked at closer. An NLL is convex in the inverse temperature, and a capped one is
 * not: it may have several valleys, of which two have been found within a twelfth of an octave.
 */
const STEPS = { convex: 24, capped: 144 };

const [LEAST, LARGEST] = [INVERSE_TEMPERATURES[0]!, INVERSE_TEMPERATURES.at(-1)!];

/**
 * @param baseline, treatment of the same samples
 * @param margin of the test of equivalence, in nats per token
 */
export function temperatureEffect(
  baseline: TemperedArm,
  treatment: TemperedArm,
  { dependence, resamples }: Sampling,
  margin: number,
): TemperatureEffect {
  const gains = (of: (arm: TemperedArm) => readonly number[]) => {
    const after = of(treatment);
    return of(baseline).map((nll, s) => nll - after[s]!);
  };
  const [atOne, remaining] = [gains((arm) => arm.atOne), gains((arm) => arm.own)];
  const calibration = atOne.map((gain, s) => gain - remaining[s]!);
  const inferences = inferMeans([atOne, remaining, calibration], dependence, resamples);
  const [ofOne, ofRemaining, ofCalibration] = inferences.map((own) => estimate(own.mean, intervalOfMean(own)));
  return {
    atOne: ofOne!,
    remaining: ofRemaining!,
    calibration: ofCalibration!,
    equivalence: equivalenceOfMean(inferences[1]!, margin) ?? null,
    baseline: baseline.temperatures,
    treatment: treatment.temperatures,
  };
}

/** NLL of a kind of a sample's tokens, over the number of all its tokens, at an inverse temperature. */
type Part = (inverse: number) => number;

/**
 * @param samples their tokens, one or more each
 * @throws RangeError for fewer than two clusters: there is nothing to fit on
 */
export function temperedArm(
  samples: readonly (readonly TemperedToken[])[],
  clusters: Partition,
  { cap = Number.POSITIVE_INFINITY, apart = false }: TemperatureOptions = {},
): TemperedArm {
  const folds = foldsOf(clusters, samples.length);
  const atOne = samples.map((own) => mean(own.map((token) => Math.min(token.atOne, cap))));
  const kinds = apart ? [(at: number) => at === 0, (at: number) => at > 0] : [() => true];
  const own = samples.map(() => 0);
  const temperatures = kinds.map((isKind): FittedTemperature => {
    const parts = samples.map((all): Part => {
      const curves = all.filter((_, at) => isKind(at)).map(({ curve }) => curve);
      return (inverse) => curves.reduce((sum, curve) => sum + Math.min(curve(inverse), cap), 0) / all.length;
    });
    const steps = Number.isFinite(cap) ? STEPS.capped : STEPS.convex;
    const inverses = bestInverses(parts, folds, Math.max(...folds) + 1, steps);
    const [chosen, ofAll] = [inverses.slice(0, -1), inverses.at(-1)!];
    for (const [s, part] of parts.entries()) own[s]! += part(chosen[folds[s]!]!);
    return { value: 1 / ofAll, low: 1 / Math.max(...chosen), high: 1 / Math.min(...chosen) };
  });
  return { atOne, own, temperatures };
}

/**
 * For each fold the inverse temperature with the least sum over the samples of all others, and that of all samples as the last: the best of a grid, and between
 * its neighbours by golden sections.
 */
function bestInverses(parts: readonly Part[], folds: Int32Array, count: number, steps: number): number[] {
  const grid = Array.from({ length: steps + 1 }, (_, i) => LEAST * (LARGEST / LEAST) ** (i / steps));
  const byFold = Array.from({ length: count }, () => new Float64Array(grid.length));
  for (const [s, part] of parts.entries()) {
    const sums = byFold[folds[s]!]!;
    for (const [i, inverse] of grid.entries()) sums[i]! += part(inverse);
  }
  return Array.from({ length: count + 1 }, (_, held) => {
    const sums = grid.map((_inverse, i) => byFold.reduce((sum, own, fold) => (fold === held ? sum : sum + own[i]!), 0));
    const best = sums.indexOf(Math.min(...sums));
    const used = parts.filter((_part, s) => folds[s] !== held);
    return leastBetween(grid[Math.max(0, best - 1)]!, grid[Math.min(steps, best + 1)]!, (inverse) =>
      used.reduce((sum, part) => sum + part(inverse), 0),
    );
  });
}

/** The precision to which an inverse temperature is found: near the best one, NLLs change by its square. */
const NEAR = 5e-4;

function leastBetween(from: number, to: number, at: (x: number) => number): number {
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [from, to];
  let [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
  let [atA, atB] = [at(a), at(b)];
  while (high - low > NEAR) {
    if (atA <= atB) {
      [high, b, atB] = [b, a, atA];
      a = high - ratio * (high - low);
      atA = at(a);
    } else {
      [low, a, atA] = [a, b, atB];
      b = low + ratio * (high - low);
      atB = at(b);
    }
  }
  return (low + high) / 2;
}
