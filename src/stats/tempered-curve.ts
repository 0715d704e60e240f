/**
 * NLLs between the inverse temperatures at which they were computed.
 *
 * exp(NLL) at the inverse temperature b is the sum over the vocabulary of exp(b * x), x being how far a word's logit lies above the target's: a mixture of
 * exponentials, whose weights are not negative. A few exponentials that fit all its values are such a mixture too, and two of them that agree in eleven places
 * hardly differ between these. Where a crowd of equal words gives way to a few likely ones the NLL bends within less than the distance of two inverse
 * temperatures: there splines and polynomials are off by a tenth of a nat and more. A mean over tokens is no such logarithm, so curves are of one token each.
 */
import { INVERSE_TEMPERATURES } from './inverse-temperatures.js';
import { nonnegativeLeastSquares } from './nonnegative.js';

/** NLL of one token in nats, at an inverse temperature from the least of `INVERSE_TEMPERATURES` to the largest. */
export type TemperedCurve = (inverse: number) => number;

/** The inverse temperatures with 0 in front, at which all words are equally likely. */
const PLACES = [0, ...INVERSE_TEMPERATURES];

/**
 * @param nlls of a token, one for each of `INVERSE_TEMPERATURES`
 * @param vocabulary words that the model knows
 */
export function temperedCurve(nlls: ArrayLike<number>, vocabulary: number): TemperedCurve {
  const { steps, logWeights } = fitted([Math.log(vocabulary), ...Array.from(nlls)]);
  return (inverse) => {
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < steps.length; i++) most = Math.max(most, inverse * steps[i]! + logWeights[i]!);
    let sum = 0;
    for (let i = 0; i < steps.length; i++) sum += Math.exp(inverse * steps[i]! + logWeights[i]! - most);
    return most + Math.log(sum);
  };
}

/** A mixture of exponentials exp(b * step + log weight). */
interface Mixture {
  readonly steps: readonly number[];
  readonly logWeights: readonly number[];
}

/** The rounds in which steps are looked for, each closer around those of the one before. */
const ROUNDS = 6;
/** The error that values may have, as float32 numbers do. A mixture that is as near as that is taken. */
const NEAR = 1e-6;
/** The number of steps that are tried between a step's neighbours. */
const CLOSER = 6;

/** @param values at `PLACES` */
function fitted(values: readonly number[]): Mixture {
  const wanted = new Float64Array(values.length).fill(1);
  for (let round = 1, steps = firstSteps(values); ; round++) {
    // Each equation is divided by its value, so that errors count as those of logarithms, and each exponential by its largest.
    const tops = steps.map((step) => Math.max(...values.map((value, i) => PLACES[i]! * step - value)));
    const columns = steps.map((step, k) =>
      Float64Array.from(values, (value, i) => Math.exp(PLACES[i]! * step - value - tops[k]!)),
    );
    const weights = nonnegativeLeastSquares(columns, wanted);
    const kept = [...steps.keys()].filter((k) => weights[k]! > 0);
    if (
      round === ROUNDS ||
      isFitted(
        kept.map((k) => ({ weight: weights[k]!, column: columns[k]! })),
        wanted,
      )
    ) {
      return { steps: kept.map((k) => steps[k]!), logWeights: kept.map((k) => Math.log(weights[k]!) - tops[k]!) };
    }
    const closer = kept.flatMap((k) => {
      const [from, to] = [steps[Math.max(0, k - 1)]!, steps[Math.min(steps.length - 1, k + 1)]!];
      return Array.from({ length: CLOSER + 1 }, (_, part) => from + ((to - from) * part) / CLOSER);
    });
    steps = ascending(closer);
  }
}

function isFitted(
  parts: readonly { readonly weight: number; readonly column: Float64Array }[],
  wanted: Float64Array,
): boolean {
  return wanted.every(
    (value, i) => Math.abs(parts.reduce((sum, { weight, column }) => sum + weight * column[i]!, 0) - value) < NEAR,
  );
}

/** The slopes of the values, which are means of what is looked for, and steps ever farther from the last of them, as distances count in proportion. */
function firstSteps(values: readonly number[]): number[] {
  const slopes = values.slice(1).map((value, i) => (value - values[i]!) / (PLACES[i + 1]! - PLACES[i]!));
  const last = slopes.at(-1)!;
  const far = Array.from({ length: 36 }, (_, k) => 0.02 * 1.33 ** k);
  return ascending([...slopes, ...far.map((x) => last - x), ...far.slice(0, 24).map((x) => last + x)]);
}

function ascending(steps: readonly number[]): number[] {
  return [...new Set(steps)].sort((a, b) => a - b);
}
