/**
 * Experiment 01, truncation: does the document carry a prefix's help when the prefix itself is hidden from the decoder?
 *
 * Every prefix is shown in full, hidden by the published mask, and hidden exactly (the document alone). `bare_d`, the unprimed
 * document alone, is the baseline of the exact ones, so that hiding BOS is not taken for priming.
 */
import { defineExperiment } from '../declaration/define.js';
import { baselineOf, design, gain, HIDDEN } from './design.js';

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
});
