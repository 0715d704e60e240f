/** Gains of treatments over baselines, sample by sample, and what is made of them: shares, gradients, contrasts, orders, choices. */
import type { Random } from '../../base/random.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Comparison, Experiment } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { ComparisonSummary, OrderSummary, Summary } from '../../runs/schema/summary.js';
import { spearman } from '../../stats/describe.js';
import { correctFamilies, finite, type Sampling, shareOf, summarizeGains } from '../../stats/gains.js';
import { spearmanTest } from '../../stats/significance.js';
import { type Columns, cappedGains, termsOf, weighted } from './columns.js';
import { summarizeContrasts } from './contrasts.js';
import { summarizeHardness } from './hardness.js';
import { NO_SHARE, recordedCorrection, recordedGain, recordedShare } from './recorded.js';
import { crossValidate } from './selection.js';
import { isSelfTest } from './self-tests.js';

export function summarizePaired(
  configuration: Configuration,
  columns: Columns,
  sampling: Sampling,
  random: Random,
): Pick<Summary, 'comparisons' | 'contrasts' | 'orders' | 'selections'> {
  const { comparisons, contrasts, orders, selections } = configuration.experiment;
  const terms = comparisons.map(termsOf);
  const lists = terms.map((own) => weighted(own, columns.nlls));
  const gains = summarizeGains(lists, sampling, random);
  const capped = cappedGains(terms, columns, sampling);
  const placeOf = (treatment: string | undefined, baseline: string) =>
    comparisons.findIndex((other) => other.treatment === treatment && other.baseline === baseline);
  const isTest = comparisons.map((comparison) => isSelfTest(configuration, comparison));
  const corrected = correctFamilies(
    comparisons.map(({ family }) => family ?? ''),
    gains.summaries.map(({ p }, c) => (isTest[c] ? null : p.mean)),
  );
  const pairsOf = ({ treatment, baseline }: Comparison) => {
    const before = columns.trials(baseline);
    return columns
      .trials(treatment)
      .map(({ token_nlls }, i) => ({ baseline: before[i]!.token_nlls, treatment: token_nlls }));
  };
  const summarized = comparisons.map((comparison, c): ComparisonSummary => {
    const oracle = placeOf(comparison.oracle, comparison.baseline);
    const whole = gains.summaries[oracle]?.d.value ?? 0;
    return {
      ...comparison,
      ...(isTest[c] && { self_test: true as const }),
      gain: recordedGain(gains.summaries[c]!, capped[c]),
      corrected: recordedCorrection(corrected[c]!),
      ...(oracle < 0 ? NO_SHARE : recordedShare(shareOf(gains, lists, c, oracle))),
      authors_share: whole > 0 ? finite((gains.summaries[c]!.d.value ?? Number.NaN) / whole) : null,
      hardness: summarizeHardness(pairsOf(comparison), sampling.resamples),
    };
  });
  return {
    comparisons: summarized,
    contrasts: contrasts.map((group) => summarizeContrasts(group, columns, sampling, random)),
    orders: orders.map((order) =>
      summarizeOrder(
        order,
        order.treatments.map((treatment) => summarized[placeOf(treatment, order.baseline)]!.gain),
      ),
    ),
    selections: selections.map(({ title, treatments, baseline }) => ({
      title,
      ...crossValidate(treatments, baseline, columns, sampling, random),
    })),
  };
}

/** Tests whether effects fall along the order. The correlation is over the conditions, and so is p; the number of samples does not matter. */
function summarizeOrder({ title }: Experiment['orders'][number], gains: readonly GainRecord[]): OrderSummary {
  const ranks = gains.map((_, rank) => rank + 1);
  const kinds = { d: 'd', mean: 'mean', 'trimmed mean': 'trimmed_mean' } as const;
  const effects = (Object.keys(kinds) as (keyof typeof kinds)[]).map((effect) => {
    const values = gains.map((gain) => gain[kinds[effect]].value ?? Number.NaN);
    const isWhole = values.every((value) => !Number.isNaN(value));
    const rho = isWhole ? finite(spearman(ranks, values)) : null;
    return { effect, rho, p: rho === null ? null : (spearmanTest(ranks, values) ?? null) };
  });
  return { title, rho: { value: effects[0]!.rho, low: null, high: null }, effects };
}
