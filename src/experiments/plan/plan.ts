/** A plan says what is to be scored and under which conditions; nothing in it has been computed. */
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import { surrogate } from '../../priming/surrogate.js';
import type { FunctionTexts, Prepared } from '../../priming/surrogate-kinds.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { Scored, Unit } from './unit.js';
import type { WrongAnswers } from './wrong-answers.js';

/** What is scored, in which order, and under which conditions. */
export interface Plan {
  readonly units: readonly Unit[];
  readonly experiment: Pick<Experiment, 'conditions' | 'protocol' | 'target' | 'prompt' | 'padding_step' | 'outcomes'>;
  /** Texts with which documents are made longer. */
  readonly padding: readonly string[];
  /** The wrong answers of samples, where the right answer is compared with them; undefined otherwise. */
  readonly wrongAnswers?: WrongAnswers | undefined;
  /**
   * Gives the text of a surrogate for a unit.
   * @throws DkvError when there is none: the unit is rejected
   */
  readonly prefix: (specification: string, unit: Unit) => string;
}

/** What a plan needs besides, where its experiment asks for it. */
export interface PlanParts {
  /** What surrogates had to wait for. */
  readonly prepared?: Prepared | undefined;
  /** What the experiment's functions gave. */
  readonly functionTexts?: FunctionTexts | undefined;
  /** The wrong answers, for the outcome `contrast`. */
  readonly wrongAnswers?: WrongAnswers | undefined;
}

export function planOf(
  experiment: Experiment,
  { units, references, padding }: Scored,
  tokenizer: Tokenizer,
  { prepared, functionTexts, wrongAnswers }: PlanParts = {},
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
    wrongAnswers,
    prefix: (specification, { sample, index }) => surrogate(specification).make(sample, { ...context, index }),
  };
}
