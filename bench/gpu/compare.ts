/** How far a device's numbers are from the CPU's, and what is too far. */

import type { Precision } from '../../src/model/graph/layout.js';
import { DRIFT_REFUSAL } from '../../src/scoring/drift.js';
import { mean } from '../../src/stats/describe.js';

/** Of each document. */
export interface Values {
  readonly states: readonly (readonly number[])[];
  readonly nlls: readonly (readonly number[])[];
  readonly tokens: readonly (readonly number[])[];
}

export interface Comparison {
  /** Largest differences. */
  readonly states: number;
  readonly nlls: number;
  /** Of the mean NLLs of a document. */
  readonly meanNll: number;
  /** Documents of which the same tokens were written. */
  readonly sameTokens: number;
  readonly isNear: boolean;
}

/** Between float32 on two providers, as everywhere. */
const FLOAT32_STATES = 1e-4;

/** float32 is held to its states; what rounds products to fewer digits, to the NLLs beyond which a model is refused. */
export function compare(values: Values, reference: Values, precision: Precision): Comparison {
  const states = farthest(values.states, reference.states);
  const meanNll = farthest([values.nlls.map(mean)], [reference.nlls.map(mean)]);
  return {
    states,
    nlls: farthest(values.nlls, reference.nlls),
    meanNll,
    sameTokens: values.tokens.filter((own, i) => own.join() === reference.tokens[i]?.join()).length,
    isNear: precision === 'float32' ? states <= FLOAT32_STATES : meanNll <= DRIFT_REFUSAL,
  };
}

/** The largest number there is, which JSON has, too, where shapes differ or a number is none. */
function farthest(of: readonly (readonly number[])[], than: readonly (readonly number[])[]): number {
  const isAlike = of.length === than.length && of.every((own, i) => own.length === than[i]!.length);
  if (!isAlike) return Number.MAX_VALUE;
  let most = 0;
  for (const [i, own] of of.entries()) {
    for (const [j, value] of own.entries()) {
      const difference = Math.abs(value - than[i]![j]!);
      if (Number.isNaN(difference)) return Number.MAX_VALUE;
      most = Math.max(most, difference);
    }
  }
  return most;
}
