/** Gains of treatments over baselines, sample by sample, and what is made of them: shares, gradients, contrasts, orders, choices. */
import type { Random } from '../../base/random.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { Summary } from '../../runs/schema/summary.js';
import { spearman } from '../../stats/describe.js';
import { correctFamilies, estimate, finite, RESAMPLES, shareOf, summarizeGains } from '../../stats/gains.js';
import { percentileInterval } from '../../stats/interval.js';
import { NO_SHARE, summarizeContrasts } from './contrasts.js';
import { summarizeHardness } from './hardness.js';
import { recordedCorrection, recordedGain, recordedShare } from './recorded.js';
import { crossValidate } from './selection.js';

export function summarizePaired(
  { comparisons, contrasts, orders, selections }: Experiment,
  column: (condition: string) => readonly Trial[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Pick<Summary, 'comparisons' | 'contrasts' | 'orders' | 'selections'> {
  const nlls = (condition: string) => column(condition).map(({ nll }) => nll);
  const differences = (treatment: string, baseline: string) => {
    const treated = nlls(treatment);
    return nlls(baseline).map((nll, i) => nll - treated[i]!);
  };
  // One set of resamples for all comparisons, so that a ratio of two of them can be formed resample by resample.
  const lists = comparisons.map(({ treatment, baseline }) => differences(treatment, baseline));
  const gains = summarizeGains(lists, clusters, random);
  const placeOf = (treatment: string | undefined, baseline: string) =>
    comparisons.findIndex((other) => other.treatment === treatment && other.baseline === baseline);
  const corrected = correctFamilies(
    comparisons.map(({ family }) => family ?? ''),
    gains.summaries.map(({ p }) => p.t),
  );
  const hardness = summarizeHardness(
    comparisons.map(({ treatment, baseline }) => {
      const before = column(baseline);
      return column(treatment).map(({ token_nlls }, i) => ({
        baseline: before[i]!.token_nlls,
        treatment: token_nlls,
      }));
    }),
    clusters,
    random,
  );
  return {
    comparisons: comparisons.map((comparison, c) => {
      const oracle = placeOf(comparison.oracle, comparison.baseline);
      const whole = gains.summaries[oracle]?.d.value ?? 0;
      return {
        ...comparison,
        gain: recordedGain(gains.summaries[c]!),
        corrected: recordedCorrection(corrected[c]!),
        ...recordedShare(oracle < 0 ? NO_SHARE : shareOf(gains, lists, c, oracle)),
        authors_share: whole > 0 ? finite((gains.summaries[c]!.d.value ?? Number.NaN) / whole) : null,
        hardness: hardness[c]!,
      };
    }),
    contrasts: contrasts.map((group) => summarizeContrasts(group, nlls, clusters, random)),
    orders: orders.map(({ title, treatments, baseline }) => {
      const places = treatments.map((treatment) => placeOf(treatment, baseline));
      const ranks = treatments.map((_, rank) => rank + 1);
      const rho = (ds: readonly number[]) => spearman(ranks, ds);
      const replicates = Float64Array.from({ length: RESAMPLES }, (_, r) => rho(places.map((c) => gains.ds[c]![r]!)));
      const measured = rho(places.map((c) => gains.summaries[c]!.d.value ?? Number.NaN));
      return { title, rho: estimate(measured, percentileInterval(replicates)) };
    }),
    selections: selections.map(({ title, treatments, baseline }) => ({
      title,
      ...crossValidate(treatments, (treatment) => differences(treatment, baseline), clusters, random),
    })),
  };
}
