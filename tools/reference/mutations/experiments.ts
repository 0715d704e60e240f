/** Experiments: random texts, masks and prompts of conditions, what is left out for a model, figures of the research's log. */
import type { Mutation } from './mutation.js';

const NUMPY = 'src/base/numpy-random.ts';
const SURROGATES = 'src/priming/surrogate-kinds.ts';
const BLOCK = 'src/experiments/plan/block.ts';
const CONDITIONS = 'src/experiments/plan/conditions.ts';
const HIDDEN_BOS = 'src/experiments/catalogue/hidden-bos.ts';
const AUTHORS = 'src/report/tables/authors.ts';
const AUTHORS_TEST = 'test/report/authors.test.ts';

const NUMPY_TEST = 'test/base/numpy-random.test.ts';
const SURROGATE_TEST = 'test/priming/surrogate.test.ts';
const CONDITIONS_TEST = 'test/experiments/conditions.test.ts';
const FAMILIES_TEST = 'test/experiments/other-families.test.ts';

export const EXPERIMENTS: readonly Mutation[] = [
  {
    name: 'items chosen from the end of the shuffled list',
    file: NUMPY,
    from: 'return this.shuffle(list).slice(0, count);',
    to: 'return this.shuffle(list).slice(list.length - count);',
    tests: NUMPY_TEST,
  },
  {
    name: 'common words drawn with the seed of other random texts',
    file: SURROGATES,
    from: 'seed + index + COMMON_WORDS_SEED',
    to: 'seed + index',
    tests: SURROGATE_TEST,
  },
  {
    name: 'two common words in each other’s place',
    file: 'src/priming/common-words.ts',
    from: 'computer mountain',
    to: 'mountain computer',
    tests: SURROGATE_TEST,
    only: 'common words',
  },
  {
    name: 'a condition’s own prompt not heeded',
    file: BLOCK,
    from: '(condition.prompt ?? prompt)',
    to: 'prompt',
    tests: FAMILIES_TEST,
    only: 'v4-09 as it is declared',
  },
  {
    name: 'all of a long target scored',
    file: BLOCK,
    from: '.subarray(0, protocol.target_tokens)',
    to: '',
    tests: 'test/experiments/block.test.ts',
  },
  {
    name: 'the baseline that stands in taken though the first one is there',
    file: CONDITIONS,
    from: 'otherwise !== undefined && !has(comparison.baseline)',
    to: 'otherwise !== undefined',
    tests: CONDITIONS_TEST,
  },
  {
    name: 'the primary comparison left with a baseline that is not there',
    file: CONDITIONS,
    from: '...(primary && baseline && { primary: { ...primary, baseline } }),',
    to: '',
    tests: CONDITIONS_TEST,
  },
  {
    name: 'masks with rows that are not there',
    file: CONDITIONS,
    from: 'withMasksOf(withBaselines({ ...experiment, identities }, has), segments)',
    to: 'withBaselines({ ...experiment, identities }, has)',
    tests: CONDITIONS_TEST,
  },
  {
    name: 'an end of text that hands on the prefix which nobody sees',
    file: HIDDEN_BOS,
    from: "M1: [{ rows: segments('BNDS')",
    to: "M1: [{ rows: segments('BND')",
    tests: FAMILIES_TEST,
    only: 'runs all of bos',
  },
  {
    name: 'moved rows expected to be the same with learned positions',
    file: CONDITIONS,
    from: 'relative && absolutePositions ?',
    to: 'relative && !absolutePositions ?',
    tests: CONDITIONS_TEST,
  },
  {
    name: 'a model with a commit unknown to the authors’ log',
    file: AUTHORS,
    from: "model.name.split('@')",
    to: '[model.name]',
    tests: AUTHORS_TEST,
    only: 'knows several models',
  },
  {
    name: 'two comparisons of one treatment taken for the same in the authors’ log',
    file: AUTHORS,
    from: 'one.treatment === name || pairOf(one) === name',
    to: 'name.startsWith(one.treatment)',
    tests: AUTHORS_TEST,
    only: 'two comparisons of one treatment',
  },
];
