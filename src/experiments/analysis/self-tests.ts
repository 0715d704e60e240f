/**
 * Comparisons of two conditions that are the same by construction: a document whose positions are all moved, for a model that knows distances between rows
 * alone. They measure the computation and no effect.
 */
import type { Condition } from '../../priming/condition.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Comparison } from '../../runs/schema/experiment.js';

export function isSelfTest(
  { experiment: { conditions }, model }: Configuration,
  { treatment, baseline }: Pick<Comparison, 'treatment' | 'baseline'>,
): boolean {
  if (model.positions === 'learned') return false;
  const [moved, still] = [treatment, baseline].map((name) => conditions.find((condition) => condition.name === name));
  if (moved?.positions !== 'after_prefix' || still?.surrogate !== undefined) return false;
  return JSON.stringify(restOf(moved)) === JSON.stringify(restOf(still!));
}

/** A condition without its positions and without the prefix that these are counted from. */
function restOf(condition: Condition): unknown[] {
  const { visibility, document, bos, separator, prompt, before_target, blocked, hidden, also } = condition;
  // The count hides nothing of a document without a prefix.
  return [
    visibility === 'published' ? 'full' : visibility,
    document,
    bos,
    separator,
    prompt,
    before_target,
    blocked,
    hidden,
    also,
  ];
}
