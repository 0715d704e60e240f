/**
 * Experiment 01, truncation: does the document carry a prefix's help when the prefix itself is hidden from the decoder?
 *
 * Every prefix is shown in full, hidden by the published mask, and hidden exactly (the document alone). `bare_d`, the unprimed
 * document alone, is the baseline of the exact ones, so that hiding BOS is not taken for priming.
 */
import { defineExperiment } from '../declaration/define.js';
import { AUTHORS_MODEL, baselineOf, design, gain, HIDDEN } from './design.js';

const PREFIXES = { oracle: 'oracle', surr_para: 'para', surr_doc: 'doc_kw' };

export const truncation = defineExperiment({
  id: 'exp01',
  title: 'Truncation',
  question: 'How much of a prefix’s help stays in the document’s states when the prefix is hidden from the decoder?',
  protocol: { samples: 200 },
  ...design(PREFIXES),
  primary: { treatment: 'surr_doc_d', baseline: 'bare_d' },
  contrasts: [
    {
      title: 'Retention',
      note: 'What hiding leaves of the gain in full view, as a share of it.',
      contrasts: Object.keys(PREFIXES).flatMap((prefix) => [
        gain(`${prefix}: in full view`, 'bare', `${prefix}_full`),
        ...HIDDEN.map((suffix) =>
          gain(`${prefix}: hidden, ${suffix}`, baselineOf(suffix), `${prefix}_${suffix}`, `${prefix}: in full view`),
        ),
        gain(`${prefix}: full less published`, `${prefix}_published`, `${prefix}_full`),
      ]),
    },
  ],
  authors: {
    model: AUTHORS_MODEL,
    d: {
      oracle_published: 0.408,
      surr_doc_published: 0.363,
      surr_para_published: 0.357,
      oracle_full: 0.345,
      surr_doc_full: 0.312,
      surr_para_full: 0.293,
    },
  },
});
