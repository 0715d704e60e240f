/** Samples about prices of lamps and other things, and an experiment that asks whether the real query helps with them: small enough for runs in tests. */
import { datasetOf } from '../../src/samples/dataset.js';

const NAMES = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent', 'radio'];

export const priceOf = (i: number) => `${i + 3} euros`;
export const nameOf = (i: number) => `${NAMES[i % NAMES.length]}`;

/** @param answerOf the answer of the sample with that number */
export function lamps(answerOf: (i: number) => string) {
  return datasetOf(
    { name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' },
    Array.from({ length: 14 }, (_, i) => ({
      id: `lamps-${String(i).padStart(3, '0')}`,
      document: `The ${nameOf(i)} number ${i} costs ${priceOf(i)}.`,
      query: `How much is the ${nameOf(i)} ${i}?`,
      answer: answerOf(i),
    })),
  );
}

/** The arms of the experiment; its names and prompt are the test's. */
export const BARE_AND_ORACLE = {
  conditions: [
    { name: 'bare', visibility: 'exact' as const },
    { name: 'oracle', surrogate: 'oracle', visibility: 'exact' as const },
  ],
  comparisons: [{ treatment: 'oracle', baseline: 'bare' }],
};
