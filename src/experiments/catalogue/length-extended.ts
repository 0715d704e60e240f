/** Experiment 03B: length again, with more prefixes and longer documents. */
import { defineExperiment } from '../declaration/define.js';
import { acrossLengths, ORIGINAL } from './lengths.js';

const LENGTHS = [ORIGINAL, 512, 1024, 2048, 3072, 4096, 6144] as const;

export const lengthExtended = defineExperiment({
  id: 'exp03b',
  title: 'Length, extended',
  question: 'Does the effect decay at thousands of tokens, and does it decay alike for all prefixes?',
  protocol: { samples: 400, max_tokens: 8192 },
  rule: 'length',
  padding: 20_000,
  padding_step: 100,
  ...acrossLengths(
    {
      oracle: 'oracle',
      scrambled: 'scrambled',
      random_matched: 'random_matched',
      random: 'random20',
      static_fact: 'static:What are the key facts I need to know?',
      template: 'template',
      doc_kw: 'doc_kw',
    },
    LENGTHS,
  ),
  primary: { treatment: 'oracle_d@6144', baseline: 'bare_d@6144' },
});
