/** Weighted sums of conditions' NLLs, group by group: effects, corrected p, shares of one another. */
import type { Random } from '../../base/random.js';
import type { ContrastGroup } from '../../runs/schema/experiment.js';
import type { ContrastGroupSummary } from '../../runs/schema/summary.js';
import { correctFamilies, type Share, shareOf, summarizeGains } from '../../stats/gains.js';
import { equivalenceTest } from '../../stats/significance.js';
import { recordedGain, recordedShare } from './recorded.js';

/** Of what is no part of anything. */
export const NO_SHARE: Share = {
  share: { value: null, low: null, high: null },
  shareFieller: { value: null, low: null, high: null },
};

export function summarizeContrasts(
  { title, note, decomposition, contrasts, family, equivalence_margin }: ContrastGroup,
  nlls: (condition: string) => readonly number[],
  clusters: readonly (readonly number[])[],
  random: Random,
): ContrastGroupSummary {
  const lists = contrasts.map(({ terms }) => {
    const weighted = Object.entries(terms).map(([condition, weight]) => ({ weight, nlls: nlls(condition) }));
    return weighted[0]!.nlls.map((_, i) => weighted.reduce((sum, term) => sum + term.weight * term.nlls[i]!, 0));
  });
  const gains = summarizeGains(lists, clusters, random);
  const corrected = correctFamilies(
    contrasts.map(({ name }) => (!family || family.includes(name) ? 'in' : name)),
    gains.summaries.map(({ p }) => p.t),
  );
  return {
    title,
    note,
    decomposition,
    equivalence_margin: equivalence_margin ?? null,
    contrasts: contrasts.map(({ name, share_of }, c) => ({
      name,
      ...(share_of !== undefined && { share_of }),
      gain: recordedGain(gains.summaries[c]!),
      p_holm: !family || family.includes(name) ? corrected[c]!.holm : null,
      p_equivalence: equivalence_margin ? (equivalenceTest(lists[c]!, equivalence_margin) ?? null) : null,
      ...recordedShare(
        share_of === undefined
          ? NO_SHARE
          : shareOf(
              gains,
              lists,
              c,
              contrasts.findIndex((other) => other.name === share_of),
            ),
      ),
    })),
  };
}
