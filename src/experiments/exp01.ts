/**
 * Experiment 01, truncation: does the document carry a prefix's help when the prefix itself is hidden from the decoder?
 *
 * Every prefix is shown in full, hidden by the published mask, and hidden exactly (the document alone). `bare_d`, the unprimed
 * document alone, is the baseline of the exact ones, so that hiding BOS is not taken for priming.
 */
import type { Comparison, Condition, Experiment } from './experiment.js';

const PREFIXES = { oracle: 'oracle', surr_para: 'para', surr_doc: 'doc_kw' };

const VISIBILITIES = { full: 'full', published: 'published', d: 'exact' } as const;

const primed = Object.entries(PREFIXES).flatMap(([prefix, surrogate]) =>
  Object.entries(VISIBILITIES).map(([suffix, visibility]) => ({
    condition: { name: `${prefix}_${suffix}`, surrogate, visibility } satisfies Condition,
    comparison: {
      treatment: `${prefix}_${suffix}`,
      baseline: visibility === 'exact' ? 'bare_d' : 'bare',
      oracle: `oracle_${suffix}`,
    } satisfies Comparison,
  })),
);

export const exp01: Experiment = {
  id: 'exp01',
  title: 'Truncation',
  question: 'How much of a prefix’s help stays in the document’s states when the prefix is hidden from the decoder?',
  protocolSamples: 200,
  seed: 42,
  conditions: [
    { name: 'bare', visibility: 'full' },
    { name: 'bare_d', visibility: 'exact' },
    ...primed.map(({ condition }) => condition),
  ],
  comparisons: primed.map(({ comparison }) => comparison),
};
