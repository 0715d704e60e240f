/** The best of several treatments, chosen and measured on different samples: cross-validation. */
import type { Random } from '../../base/random.js';
import type { SelectionSummary } from '../../runs/schema/summary.js';
import { mean } from '../../stats/describe.js';
import { summarizeGains } from '../../stats/gains.js';
import { recordedGain } from './recorded.js';

const FOLDS = 5;

/** Whole clusters are dealt to folds in turn; each fold is measured with the treatment that is best on the other folds. */
export function crossValidate(
  treatments: readonly string[],
  gainsOf: (treatment: string) => readonly number[],
  clusters: readonly (readonly number[])[],
  random: Random,
): Omit<SelectionSummary, 'title'> {
  const lists = treatments.map(gainsOf);
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
  const overall = best(() => true);
  const counts = treatments.map((name, t) => [name, choices.filter((choice) => choice === t).length]);
  return {
    chosen: Object.fromEntries(counts),
    folds,
    held_out: recordedGain(summarizeGains([heldOut], clusters, random).summaries[0]!),
    best: { treatment: treatments[overall]!, gain: mean(lists[overall]!) },
  };
}
