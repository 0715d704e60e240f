/** Experiment 02, the sweep: which surrogates close how much of the gap, and does their meaning matter? */
import { defineExperiment } from '../declaration/define.js';
import { baselineOf, design, gain, groupGain, HIDDEN, VISIBILITIES } from './design.js';

/** The prefixes in the order of how much of the query's meaning they should have, as the research ranked them beforehand. */
const PREFIXES = {
  oracle: 'oracle',
  para: 'para',
  doc_kw: 'doc_kw',
  lead: 'lead',
  template: 'template',
  static_fact: 'static:What are the key facts I need to know?',
  static_howto: 'static:How do I do this?',
  random: 'random20',
};

const SPECIFIC = ['oracle', 'para', 'doc_kw', 'lead', 'template'];
const AGNOSTIC = ['static_fact', 'static_howto', 'random'];
const PAIRS = [
  ['oracle', 'doc_kw'],
  ['oracle', 'para'],
  ['doc_kw', 'static_fact'],
  ['doc_kw', 'random'],
  ['static_fact', 'random'],
  ['lead', 'template'],
] as const;

export const surrogateSweep = defineExperiment({
  id: 'exp02',
  title: 'Surrogate sweep',
  question:
    'Which surrogates close the gap between the bare document and the oracle, and does their meaning decide it?',
  protocol: { samples: 500 },
  ...design(PREFIXES),
  primary: { treatment: 'doc_kw_d', baseline: 'bare_d' },
  orders: HIDDEN.map((suffix) => ({
    title: `Semantic order, ${VISIBILITIES[suffix]}`,
    treatments: Object.keys(PREFIXES).map((prefix) => `${prefix}_${suffix}`),
    baseline: baselineOf(suffix),
  })),
  contrasts: HIDDEN.map((suffix) => ({
    title: `Head to head, ${VISIBILITIES[suffix]}`,
    note: 'Positive: the first is better. Both sides see the same, so hiding BOS plays no part. Groups: the mean of the prefixes that follow the document or query against the mean of those that do not.',
    contrasts: [
      ...PAIRS.map(([a, b]) => gain(`${a} over ${b}`, `${b}_${suffix}`, `${a}_${suffix}`)),
      groupGain(
        'specific over agnostic',
        AGNOSTIC.map((prefix) => `${prefix}_${suffix}`),
        SPECIFIC.map((prefix) => `${prefix}_${suffix}`),
      ),
    ],
  })),
});
