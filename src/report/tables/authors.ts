/**
 * The research's own figures, "authors' log", beside the measured ones: only where model, data and number of samples are the same. Figures of
 * different models or samples in one table would be read as a comparison.
 */

import { EXPERIMENTS } from '../../experiments/catalogue/registry.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { Summary } from '../../runs/schema/summary.js';
import { signed, withInterval } from '../words/format.js';
import { number, type Table, text } from './table.js';

/** Why the authors' log cannot stand beside this run; empty where it can. */
export function incomparable({ experiment, model, dataset, samples, max_tokens }: Configuration): string[] {
  const { authors, protocol } = experiment;
  if (!authors) return ['it has no figures for this experiment'];
  const reasons: string[] = [];
  if (model.built_in) reasons.push(`theirs are of ${authors.model}, these of the built-in model`);
  else if (model.name !== authors.model) reasons.push(`theirs are of ${authors.model}, these of ${model.name}`);
  if (dataset.name !== protocol.dataset) reasons.push(`theirs are on ${protocol.dataset}, these on ${dataset.name}`);
  if (samples !== protocol.samples) reasons.push(`theirs are of ${protocol.samples} samples, these of ${samples}`);
  if (max_tokens < protocol.max_tokens) {
    reasons.push(`theirs are of documents of up to ${protocol.max_tokens} tokens, these of ${max_tokens}`);
  }
  // A run may override these two: other samples, another task.
  const declared = EXPERIMENTS[experiment.id];
  if (declared && declared.seed !== experiment.seed) {
    reasons.push(`theirs are of the samples of seed ${declared.seed}, these of seed ${experiment.seed}`);
  }
  if (declared && declared.prompt !== experiment.prompt) {
    reasons.push(`theirs are with the decoder prompt “${declared.prompt}”, these with “${experiment.prompt}”`);
  }
  return reasons;
}

/** One line: why the authors' log is not shown, or what it is. */
export function authorsNote(configuration: Configuration): string {
  const reasons = incomparable(configuration);
  if (reasons.length > 0) return `Authors’ log: not shown beside these results, because ${reasons.join('; ')}.`;
  return `Authors’ log: d as the research’s log gives it for ${configuration.model.name}, ${configuration.dataset.name}, N = ${configuration.samples}; not from a paper. Theirs in bfloat16, ours in ${configuration.model.precision}; seed ${configuration.seed}.`;
}

/** Measured d beside the authors'; undefined where the two cannot be compared. */
export function authorsTable({ configuration, comparisons, ranking }: Summary): Table | undefined {
  if (incomparable(configuration).length > 0) return undefined;
  const measured: readonly { treatment: string; baseline: string; gain: GainRecord | null }[] = ranking
    ? ranking.comparisons.map((c) => ({ treatment: c.treatment, baseline: c.baseline, gain: c.differential }))
    : comparisons;
  const rows = Object.entries(configuration.experiment.authors!.d).flatMap(([treatment, d]) => {
    const found = measured.find((comparison) => comparison.treatment === treatment);
    if (!found?.gain) return [];
    const { value } = found.gain.d;
    return [
      [
        treatment,
        found.baseline,
        withInterval(found.gain.d, (x) => signed(x, 3)),
        signed(d, 3),
        signed(value === null ? null : value - d, 3),
      ],
    ];
  });
  return {
    columns: [
      text('condition'),
      text('against'),
      number(ranking ? 'measured d of the differential signal [95%]' : 'measured d [95%]'),
      number('authors’ log, d'),
      number('difference'),
    ],
    rows,
  };
}
