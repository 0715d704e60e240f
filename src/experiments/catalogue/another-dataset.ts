/** Experiment 3D: the decomposition on another dataset, with long questions and answers. */
import { defineExperiment } from '../declaration/define.js';
import { decomposition, design } from './design.js';

export const anotherDataset = defineExperiment({
  id: 'exp3d',
  title: 'Another dataset',
  question: 'Do structure, vocabulary and meaning share the gain in the same way on other data?',
  protocol: { samples: 500, dataset: 'neural-bridge' },
  ...design({
    oracle: 'oracle',
    random_matched: 'random_matched',
    scrambled: 'scrambled',
    template: 'template',
    the: 'static:the*query',
    keyword: 'kw1*query',
  }),
  primary: { treatment: 'random_matched_d', baseline: 'bare_d' },
  contrasts: decomposition(),
});
