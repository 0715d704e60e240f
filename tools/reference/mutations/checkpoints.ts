/** Which checkpoints are refused and with what advice, and what is read from their files rather than known of their family. */
import type { Mutation } from './mutation.js';

const PULL = 'src/scoring/pull-model.ts';
const UNUSABLE = 'src/scoring/unusable-repository.ts';
const SETTINGS = 'src/model/tokenizer/settings.ts';
const PULL_TEST = 'test/hub/pull.test.ts';
const T5_TEXT_TEST = 'test/scoring/t5-text.test.ts';

export const CHECKPOINTS: readonly Mutation[] = [
  {
    name: 'a repository without tokenizer.json is brought',
    file: PULL,
    from: "const REQUIRED = ['config.json', 'tokenizer.json'];",
    to: "const REQUIRED = ['config.json'];",
    tests: PULL_TEST,
    only: 'lacks what is read',
  },
  {
    name: 'weights as a pickle are taken for weights',
    file: PULL,
    from: 'const weights = paths.includes(INDEX) ? [] : [SINGLE];',
    to: "const weights = paths.includes(INDEX) || paths.includes('pytorch_model.bin') ? [] : [SINGLE];",
    tests: PULL_TEST,
    only: 'lacks what is read',
  },
  {
    name: 'weights of another architecture are brought first',
    file: PULL,
    from: '  await readConfig(snapshot);\n',
    to: '',
    tests: PULL_TEST,
    only: 'lacks what is read',
  },
  {
    name: 'a pull request that lacks files, too, is advised',
    file: UNUSABLE,
    from: 'some.find((_, i) => whole[i])',
    to: 'some.find((_, i) => whole[i] || i >= 0)',
    tests: PULL_TEST,
    only: 'lacks what is read',
  },
  {
    name: 'a pull request is advised without a word of who may have made it',
    file: UNUSABLE,
    from: 'const caution = request ?',
    to: 'const caution = request === undefined ?',
    tests: PULL_TEST,
    only: 'lacks what is read',
  },
  {
    name: 'a folder with weights as a pickle gets no advice',
    file: 'src/model/checkpoint.ts',
    from: 'const advice = instead ?',
    to: "const advice = instead === '' ?",
    tests: 'test/model/checkpoint.test.ts',
  },
  {
    name: 'the class of a tokenizer is that of its model type',
    file: SETTINGS,
    from: 'written.tokenizer_class ?? companions.modelTokenizerClass ?? byType',
    to: 'byType ?? written.tokenizer_class ?? companions.modelTokenizerClass',
    tests: T5_TEXT_TEST,
    only: 'ids of a T5',
  },
  {
    name: "what ends a T5's text is the id that T5 has",
    file: 'src/model/families/t5/config.ts',
    from: 'stopTokenIds: ends,',
    to: 'stopTokenIds: [1],',
    tests: 'test/model/t5.test.ts',
    only: 'codet5',
  },
  {
    name: 'a T5 starts with the BOS of its config',
    file: 'src/model/families/t5/config.ts',
    from: 'decoderStartTokenId: start,',
    to: 'decoderStartTokenId: (json as { bos_token_id?: number }).bos_token_id ?? start,',
    tests: 'test/model/t5.test.ts',
    only: 'codet5',
  },
  {
    name: 'control tokens that a vocabulary turns into their ids are not told',
    file: 'src/model/tokenizer/tokenizer.ts',
    from: '[...codec.encode(controlToken, true)].includes(own.id)',
    to: '[...codec.encode(controlToken, true)].includes(-1)',
    tests: T5_TEXT_TEST,
    only: 'control tokens',
  },
  {
    name: 'reports do not tell them',
    file: 'src/experiments/run/samples.ts',
    from: 'literals.filter((token) => tokenizer.isPiece(token))',
    to: 'literals.filter((token) => !tokenizer.isPiece(token))',
    tests: 'test/experiments/other-families.test.ts',
    only: 'control tokens',
  },
  {
    name: 'random norms are so small that sublayers hardly count',
    file: 'src/model/families/family.ts',
    from: 'NORM_SPREAD: Spread = { mean: 1, deviation: 0.3 }',
    to: 'NORM_SPREAD: Spread = { mean: 0, deviation: 0.1 }',
    tests: 'test/experiments/other-families.test.ts',
    only: 'what transformers answers',
  },
];
