/** The best of several treatments, chosen and measured on different samples: cross-validation. */
import type { Random } from '../../base/random.js';
import type { SelectionSummary } from '../../runs/schema/summary.js';
import { mean } from '../../stats/describe.js';
import { type Sampling, summarizeGains } from '../../stats/gains.js';
import { type Columns, cappedGains, termsOf, weighted } from './columns.js';
import { recordedGain } from './recorded.js';

const FOLDS = 5;

/** The name of the chosen treatment. No condition has an empty name. */
const CHOSEN = '';

/** Whole clusters are dealt to folds in turn; each fold is measured with the treatment that is best on the other folds. */
export function crossValidate(
  treatments: readonly string[],
  baseline: string,
  columns: Columns,
  sampling: Sampling,
  random: Random,
): Omit<SelectionSummary, 'title'> {
  const lists = treatments.map((treatment) => weighted(termsOf({ treatment, baseline }), columns.nlls));
  const { clusters } = sampling.dependence;
  const folds = Math.min(FOLDS, clusters.length);
  const fold = new Int32Array(lists[0]!.length);
  for (const [c, cluster] of clusters.entries()) for (const index of cluster) fold[index] = c % folds;
  const best = (use: (index: number) => boolean) => {
    const means = lists.map((list) => mean(list.filter((_, i) => use(i))));
    // Without any sample to choose on, the first.
    return Math.max(0, means.indexOf(Math.max(...means)));
  };
  const choices = Array.from({ length: folds }, (_, held) => best((i) => fold[i] !== held));
  const heldOut = lists[0]!.map((_, i) => lists[choices[fold[i]!]!]![i]!);
  // As a condition of its own: each sample under the treatment that was chosen for it.
  const chosenFor = (nlls: Columns['nlls']) => (condition: string) => {
    if (condition !== CHOSEN) return nlls(condition);
    const all = treatments.map(nlls);
    return heldOut.map((_, i) => all[choices[fold[i]!]!]![i]!);
  };
  const withChosen = { ...columns, nlls: chosenFor(columns.nlls), capped: chosenFor(columns.capped) };
  const [capped] = cappedGains([{ [baseline]: 1, [CHOSEN]: -1 }], withChosen, sampling);
  const overall = best(() => true);
  const counts = treatments.map((name, t) => [name, choices.filter((choice) => choice === t).length]);
  return {
    chosen: Object.fromEntries(counts),
    folds,
    held_out: recordedGain(summarizeGains([heldOut], sampling, random).summaries[0]!, capped),
    best: { treatment: treatments[overall]!, gain: mean(lists[overall]!) },
  };
}
