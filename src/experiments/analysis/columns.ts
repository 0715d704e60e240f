/** NLLs of conditions, sample by sample, as they are and with tokens capped. */
import type { Trial } from '../../runs/schema/entry.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { Estimate, Sampling } from '../../stats/gains.js';
import { inferredMeans } from '../../stats/gains.js';
import type { Capped } from './recorded.js';

export interface Columns {
  /** The condition's trials of all samples, in the samples' order. */
  trials(condition: string): readonly Trial[];
  /** The condition's mean NLL per token, sample by sample. */
  nlls(condition: string): readonly number[];
  /**
   * The condition's mean NLL per token with each token capped at the logarithm of the vocabulary's size, which is the NLL of a model that knows
   * nothing.
   */
  capped(condition: string): readonly number[];
  /** That logarithm; undefined where the vocabulary's size is not known. */
  readonly cap: number | undefined;
}

/** The samples that were scored, in the order that all numbers take them in. */
export function scoredOf(records: readonly SampleRecord[], scored: ReadonlySet<string>): SampleRecord[] {
  return records.filter(({ id }) => scored.has(id)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The trials of each condition, in the order of the samples. */
export function trialsOf(
  conditions: readonly { readonly name: string }[],
  trials: readonly Trial[],
  samples: readonly SampleRecord[],
): (condition: string) => readonly Trial[] {
  const table = new Map<string, Map<string, Trial>>(conditions.map(({ name }) => [name, new Map()]));
  for (const trial of trials) table.get(trial.condition)?.set(trial.sample, trial);
  const columns = new Map(
    conditions.map(({ name }) => [name, samples.map(({ id }) => table.get(name)!.get(id)!)] as const),
  );
  return (condition) => columns.get(condition)!;
}

export function columnsOf(trials: (condition: string) => readonly Trial[], vocabulary: number | undefined): Columns {
  const cap = vocabulary === undefined ? undefined : Math.log(vocabulary);
  return {
    trials,
    cap,
    nlls: (condition) => trials(condition).map(({ nll }) => nll),
    capped: (condition) =>
      trials(condition).map(
        ({ token_nlls }) => token_nlls.reduce((sum, nll) => sum + Math.min(nll, cap!), 0) / token_nlls.length,
      ),
  };
}

/** Weighted sums of conditions' NLLs, sample by sample: baseline 1, treatment -1, or a contrast's terms. */
export type Terms = Readonly<Record<string, number>>;

export function weighted(terms: Terms, nlls: (condition: string) => readonly number[]): number[] {
  const columns = Object.entries(terms).map(([condition, weight]) => ({ weight, values: nlls(condition) }));
  return columns[0]!.values.map((_, i) => columns.reduce((sum, { weight, values }) => sum + weight * values[i]!, 0));
}

export function termsOf({ treatment, baseline }: { readonly treatment: string; readonly baseline: string }): Terms {
  return treatment === baseline ? { [baseline]: 0 } : { [baseline]: 1, [treatment]: -1 };
}

/** Capped gains, each with the share of samples in which a condition on its better side, of positive weight, is above the cap; undefined without a cap. */
export function cappedGains(all: readonly Terms[], columns: Columns, sampling: Sampling): (Capped | undefined)[] {
  const { cap } = columns;
  if (cap === undefined) return all.map(() => undefined);
  const means: Estimate[] = inferredMeans(
    all.map((terms) => weighted(terms, columns.capped)),
    sampling,
  );
  return all.map((terms, i) => {
    const sides = Object.entries(terms).flatMap(([condition, weight]) => (weight > 0 ? [columns.nlls(condition)] : []));
    const samples = sides[0]?.length ?? 0;
    const above = Array.from({ length: samples }, (_, s) => sides.some((side) => side[s]! > cap)).filter(Boolean);
    return { mean: means[i]!, above: samples > 0 ? above.length / samples : null };
  });
}
