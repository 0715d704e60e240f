/**
 * How well a right answer is told from wrong ones: the loss of a choice among candidates whose scores are their NLLs. Where a prefix makes all candidates
 * likelier alike, NLL falls and this does not.
 *
 * An arm's scores are multiplied by a sharpness of its own before the softmax, because how far apart its NLLs lie is no matter of how it orders them. It is
 * fitted on the arm's own samples, and only to score others: whole clusters are dealt to folds, and each fold is scored with what the other folds chose.
 */
import { foldsOf } from './cross-fitting.js';
import type { Partition } from './dependence.js';

/** NLLs per token of a sample's candidates, the right one first. */
export type CandidateNlls = readonly number[];

/** What the NLLs of an arm are multiplied by. */
export interface FittedSharpness {
  /** The sharpness fitted on all samples. */
  readonly value: number;
  /** The least and the largest of those that folds were scored with. */
  readonly low: number;
  readonly high: number;
}

/** An arm's samples. */
export interface ContrastArm {
  /** -log of the right answer's share of the softmax, in nats; the logarithm of the number of candidates for an arm that cannot tell them. */
  readonly loss: readonly number[];
  /** The right answer's place, 1 the first; halves where candidates are equal. */
  readonly rank: readonly number[];
  /** 1 where the right answer is the likeliest; a part of it where several are. */
  readonly first: readonly number[];
  /** Mean NLL of the wrong answers less that of the right one, in nats per token. */
  readonly margin: readonly number[];
  readonly sharpness: FittedSharpness;
}

/** The largest sharpness. Where none of an arm's answers is wrong, the best one would be infinite. */
const SHARPEST = 32;

/**
 * @param samples two candidates or more each
 * @throws RangeError for fewer than two clusters: there is nothing to fit on
 */
export function contrastArm(samples: readonly CandidateNlls[], clusters: Partition): ContrastArm {
  const folds = foldsOf(clusters, samples.length);
  const chosen = Array.from({ length: Math.max(...folds) + 1 }, (_, fold) =>
    bestSharpness(samples.filter((_sample, s) => folds[s] !== fold)),
  );
  return {
    loss: samples.map((nlls, s) => lossOf(nlls, chosen[folds[s]!]!)),
    ...standing(samples),
    sharpness: { value: bestSharpness(samples), low: Math.min(...chosen), high: Math.max(...chosen) },
  };
}

/** What needs no sharpness. */
export function standing(samples: readonly CandidateNlls[]): Pick<ContrastArm, 'rank' | 'first' | 'margin'> {
  const sides = samples.map(([right, ...wrong]) => ({
    right: right!,
    wrong,
    less: wrong.filter((nll) => nll < right!).length,
    equal: wrong.filter((nll) => nll === right!).length,
  }));
  return {
    rank: sides.map(({ less, equal }) => 1 + less + equal / 2),
    first: sides.map(({ less, equal }) => (less > 0 ? 0 : 1 / (1 + equal))),
    margin: sides.map(({ right, wrong }) => wrong.reduce((sum, nll) => sum + nll, 0) / wrong.length - right),
  };
}

function lossOf([right, ...wrong]: CandidateNlls, sharpness: number): number {
  const scores = wrong.map((nll) => sharpness * (right! - nll));
  const most = Math.max(0, ...scores);
  return most + Math.log(scores.reduce((sum, score) => sum + Math.exp(score - most), Math.exp(-most)));
}

const STEPS = 100;

/**
 * The loss is convex in the sharpness, so there is one best, where its slope is 0: by Newton's steps, and by halves where these would leave what is left. The
 * slope says where to the last digits, which the loss itself does not.
 */
function bestSharpness(samples: readonly CandidateNlls[]): number {
  let [low, high] = [0, SHARPEST];
  if (slopeOf(samples, low).slope >= 0) return low;
  if (slopeOf(samples, high).slope <= 0) return high;
  let at = 1;
  for (let step = 0; step < STEPS; step++) {
    const { slope, bend } = slopeOf(samples, at);
    if (slope === 0) return at;
    if (slope < 0) low = at;
    else high = at;
    const newton = at - slope / bend;
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - at) <= 1e-14 * at) return next;
    at = next;
  }
  return at;
}

/** First and second derivative of the summed loss: the right answer's NLL less the mean under the softmax, and the variance there. */
function slopeOf(samples: readonly CandidateNlls[], sharpness: number): { slope: number; bend: number } {
  let [slope, bend] = [0, 0];
  for (const nlls of samples) {
    const least = Math.min(...nlls);
    let [whole, first, second] = [0, 0, 0];
    for (const nll of nlls) {
      const above = nll - least;
      const share = Math.exp(-sharpness * above);
      whole += share;
      first += share * above;
      second += share * above * above;
    }
    const center = first / whole;
    slope += nlls[0]! - least - center;
    bend += second / whole - center * center;
  }
  return { slope, bend };
}
