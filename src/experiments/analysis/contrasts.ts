/** Weighted sums of conditions' NLLs, group by group: effects, corrected p, shares of one another. */
import type { Random } from '../../base/random.js';
import type { ContrastGroup } from '../../runs/schema/experiment.js';
import type { ContrastGroupSummary } from '../../runs/schema/summary.js';
import { correctFamilies, equivalence, type Sampling, shareOf, summarizeGains } from '../../stats/gains.js';
import { type Columns, cappedGains, weighted } from './columns.js';
import { NO_SHARE, recordedGain, recordedShare } from './recorded.js';

export function summarizeContrasts(
  { title, note, decomposition, contrasts, family, equivalence_margin }: ContrastGroup,
  columns: Columns,
  sampling: Sampling,
  random: Random,
): ContrastGroupSummary {
  const terms = contrasts.map((contrast) => contrast.terms);
  const lists = terms.map((own) => weighted(own, columns.nlls));
  const gains = summarizeGains(lists, sampling, random);
  const capped = cappedGains(terms, columns, sampling);
  const corrected = correctFamilies(
    contrasts.map(({ name }) => (!family || family.includes(name) ? 'in' : name)),
    gains.summaries.map(({ p }) => p.mean),
  );
  return {
    title,
    note,
    decomposition,
    equivalence_margin: equivalence_margin ?? null,
    contrasts: contrasts.map(({ name, share_of }, c) => ({
      name,
      ...(share_of !== undefined && { share_of }),
      gain: recordedGain(gains.summaries[c]!, capped[c]),
      p_holm: !family || family.includes(name) ? corrected[c]!.holm : null,
      p_equivalence: equivalence_margin ? equivalence(lists[c]!, gains.inferences[c]!, equivalence_margin) : null,
      ...(share_of === undefined
        ? NO_SHARE
        : recordedShare(
            shareOf(
              gains,
              lists,
              c,
              contrasts.findIndex((other) => other.name === share_of),
            ),
          )),
    })),
  };
}
