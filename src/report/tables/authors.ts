/**
 * The research's own figures, "authors' log", beside the measured ones: only where model, data and number of samples are the same. Figures of
 * different models or samples in one table would be read as a comparison.
 */

import { EXPERIMENTS } from '../../experiments/catalogue/registry.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { AuthorsFigures, Experiment } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { Summary } from '../../runs/schema/summary.js';
import { fixed, signed, withInterval } from '../words/format.js';
import { listed } from '../words/labels.js';
import { number, type Table, text } from './table.js';

type Compared = Pick<Summary, 'configuration' | 'samples'>;

/** Why the authors' log cannot stand beside this run; empty where it can. */
export function incomparable({ configuration, samples: { cut } }: Compared): string[] {
  const { experiment, model, dataset, samples, max_tokens } = configuration;
  const { protocol } = experiment;
  const all = figuresOf(experiment);
  if (all.length === 0) return ['it has no figures for this experiment'];
  const reasons: string[] = [];
  const theirs = listed(all.map((figures) => figures.model));
  if (model.built_in) reasons.push(`theirs are of ${theirs}, these of the built-in model`);
  else if (!figuresFor(configuration)) reasons.push(`theirs are of ${theirs}, these of ${model.name}`);
  if (dataset.name !== protocol.dataset) reasons.push(`theirs are on ${protocol.dataset}, these on ${dataset.name}`);
  if (samples !== protocol.samples) reasons.push(`theirs are of ${protocol.samples} samples, these of ${samples}`);
  // A lower limit that no document reaches changes nothing: models with learned positions read no more.
  if (max_tokens < protocol.max_tokens && cut > 0) {
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

function figuresOf({ authors = [] }: Experiment): AuthorsFigures[] {
  return [authors].flat();
}

/** A model of the hub is named with its commit, which the log does not say. */
function figuresFor({ experiment, model }: Configuration): AuthorsFigures | undefined {
  const [repository] = model.name.split('@');
  return figuresOf(experiment).find((figures) => figures.model === repository);
}

/** One line: why the authors' log is not shown, or what it is. */
export function authorsNote(summary: Compared): string {
  const reasons = incomparable(summary);
  if (reasons.length > 0) return `Authors’ log: not shown beside these results, because ${reasons.join('; ')}.`;
  const { model, dataset, samples, seed } = summary.configuration;
  return `Authors’ log: figures as the research’s log gives them for ${figuresFor(summary.configuration)!.model}, ${dataset.name}, N = ${samples}; not from a paper. Theirs in bfloat16, ours in ${model.precision}; seed ${seed}.`;
}

/** Measured d beside the authors'; undefined where the two cannot be compared. */
export function authorsTable(summary: Summary): Table | undefined {
  const { configuration, comparisons, ranking } = summary;
  if (incomparable(summary).length > 0) return undefined;
  const measured: readonly { treatment: string; baseline: string; gain: GainRecord | null }[] = ranking
    ? ranking.comparisons.map((c) => ({ treatment: c.treatment, baseline: c.baseline, gain: c.differential }))
    : comparisons;
  const rows = Object.entries(figuresFor(configuration)!.d).flatMap(([name, d]) => {
    const found = measured.find(({ treatment, baseline }) =>
      [treatment, `${treatment} over ${baseline}`].includes(name),
    );
    if (!found?.gain) return [];
    const { value } = found.gain.d;
    return [
      [
        found.treatment,
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

/** Measured mean NLLs beside the authors'; undefined where the two cannot be compared, or the log's are not kept. */
export function authorsNllTable(summary: Summary): Table | undefined {
  const { configuration, conditions } = summary;
  if (incomparable(summary).length > 0) return undefined;
  const { nll } = figuresFor(configuration)!;
  if (!nll) return undefined;
  return {
    columns: [
      text('condition'),
      number('measured mean NLL, nats/token'),
      number('authors’ log, mean NLL'),
      number('difference'),
    ],
    rows: conditions.flatMap((condition) => {
      const theirs = nll[condition.name];
      if (theirs === undefined) return [];
      return [[condition.name, fixed(condition.nll, 4), fixed(theirs, 4), signed(condition.nll - theirs, 4)]];
    }),
  };
}
