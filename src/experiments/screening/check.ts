/** One check's answer, and the usual one: does a treatment take nats off the NLL, beyond what chance would? */
import { Random } from '../../base/random.js';
import type { Model } from '../../scoring/load-model.js';
import { independent } from '../../stats/dependence.js';
import { samplingOf } from '../../stats/gains.js';
import type { Interval } from '../../stats/interval.js';
import { inferMeans, intervalOfMean } from '../../stats/mean-inference.js';
import { robust } from '../../stats/robust.js';

export interface SanityCheck {
  readonly name: string;
  /** What the check asks, in one sentence. */
  readonly question: string;
  readonly state: 'pass' | 'fail' | 'finding';
  readonly result: string;
}

export interface SanityOptions {
  readonly samples: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** The same architecture with random weights, where one can be had: it must gain nothing. */
  readonly random?: Model;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Passes when the treatment's NLL is lower than the other's beyond the interval. */
export function expectGain(
  name: string,
  question: string,
  lower: readonly number[],
  treatment: readonly number[],
): SanityCheck {
  const { text, interval } = gainOf(lower, treatment);
  return { name, question, state: interval.low > 0 ? 'pass' : 'fail', result: text };
}

export function gainOf(
  lower: readonly number[],
  treatment: readonly number[],
): { text: string; mean: number; interval: Interval } {
  const gains = lower.map((nll, i) => nll - treatment[i]!);
  const sampling = samplingOf(independent(gains.length), new Random('sanity bootstrap'));
  const [inference] = inferMeans([gains], sampling.dependence, sampling.resamples);
  const interval = intervalOfMean(inference!) ?? { low: Number.NaN, high: Number.NaN };
  const [low, high] = [interval.low, interval.high].map((x) => x.toFixed(2));
  const text = `${inference!.mean.toFixed(2)} nats [${low}, ${high}], robust d ${robust(gains).robustD.toFixed(2)}`;
  return { text, mean: inference!.mean, interval };
}
