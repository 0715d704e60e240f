/** A plan says what is to be scored and under which conditions; nothing in it has been computed. */
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import { surrogate } from '../../priming/surrogate.js';
import type { FunctionTexts, Prepared } from '../../priming/surrogate-kinds.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { Scored, Unit } from './unit.js';

/** What is scored, in order, and under what. */
export interface Plan {
  readonly units: readonly Unit[];
  readonly experiment: Pick<Experiment, 'conditions' | 'protocol' | 'target' | 'prompt' | 'padding_step'>;
  /** Texts to make documents longer with. */
  readonly padding: readonly string[];
  /** The text of a surrogate for a unit. @throws DkvError when there is none: the unit is rejected */
  readonly prefix: (specification: string, unit: Unit) => string;
}

/**
 * @param prepared what surrogates had to wait for; not needed where none has to
 * @param functionTexts what the experiment's functions gave; not needed where it has none
 */
export function planOf(
  experiment: Experiment,
  { units, references, padding }: Scored,
  tokenizer: Tokenizer,
  prepared?: Prepared,
  functionTexts?: FunctionTexts,
): Plan {
  const countTokens = (text: string) => tokenizer.encode(text).length;
  const context = {
    samples: references,
    seed: experiment.seed,
    countTokens,
    ...(prepared && { prepared }),
    ...(functionTexts && { functionTexts }),
  };
  return {
    units,
    experiment,
    padding,
    prefix: (specification, { sample, index }) => surrogate(specification).make(sample, { ...context, index }),
  };
}
