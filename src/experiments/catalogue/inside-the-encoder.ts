/** Experiment 3E, inside the encoder: where do a document's rows look behind a prefix, and how far do their states move? */
import { defineExperiment } from '../declaration/define.js';

const PREFIXES = { oracle: 'oracle', random_matched: 'random_matched', the: 'static:the*query' };

export const insideTheEncoder = defineExperiment({
  id: 'exp3e',
  title: 'Inside the encoder',
  question: 'What does a prefix change in the document’s attention and states, and does its content matter?',
  unit: 'probe',
  protocol: { samples: 500, dataset: 'neural-bridge' },
  layers: { attention: [0, 5, 11, 17, 23, 29], hidden: [0, 5, 11, 17, 23, 29, 33] },
  conditions: [
    { name: 'bare', visibility: 'exact' },
    ...Object.entries(PREFIXES).map(([name, surrogate]) => ({ name, surrogate, visibility: 'exact' as const })),
  ],
});
