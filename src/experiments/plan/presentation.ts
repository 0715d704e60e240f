/** How a unit is presented under each condition: the same document in all of them, whatever stands before it. */
import { DkvError } from '../../base/errors.js';
import { splitWords } from '../../base/words.js';
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import { type Condition, type Encoding, type Presented, present } from '../../priming/condition.js';
import { tokenisationOf } from '../../priming/input.js';
import { lengthen } from './lengthen.js';
import type { Plan } from './plan.js';
import type { Unit } from './unit.js';

export interface Presentation {
  /** The passes of the encoder, the condition's own first. */
  readonly parts: readonly Presented[];
  readonly jointDiffers: boolean | undefined;
  readonly prefix: string | undefined;
}

/**
 * The inputs of a unit's conditions. If one of them is over the limit, the document is cut to the same tokens in all that have the same
 * document, so that no condition knows more of it than another.
 */
export function presentationsOf(plan: Plan, unit: Unit, tokenizer: Tokenizer, maxTokens: number): Presentation[] {
  const { conditions } = plan.experiment;
  const variant = (condition: Condition) => JSON.stringify(condition.document);
  const documentOf = once(variant, (condition: Condition) => makeDocument(plan, unit, condition, tokenizer));
  const textOf = once(String, (specification: string) => plan.prefix(specification, unit));
  const build = (condition: Condition, maxDocumentTokens = Number.POSITIVE_INFINITY): Presentation => {
    const document = documentOf(condition);
    const limits = { maxTokens, maxDocumentTokens };
    const prefixOf = ({ surrogate }: Encoding) => (surrogate === undefined ? undefined : textOf(surrogate));
    const encodings: readonly Encoding[] = [condition, ...(condition.also ?? [])];
    const parts = encodings.map((encoding) => present(tokenizer, encoding, document, prefixOf(encoding), limits));
    const prefix = prefixOf(condition);
    const joint = tokenisationOf(condition.visibility) === 'joint' && prefix !== undefined && !condition.positions;
    const apart = joint && present(tokenizer, { visibility: 'exact' }, document, prefix, limits);
    const ids = parts[0]!.item.tokenIds;
    return { parts, prefix, jointDiffers: apart ? apart.item.tokenIds.join() !== ids.join() : undefined };
  };
  const built = conditions.map((condition) => build(condition));
  const kept = new Map<string, number>();
  for (const [i, condition] of conditions.entries()) {
    const shortest = Math.min(...built[i]!.parts.map(({ input }) => input.documentTokens));
    kept.set(variant(condition), Math.min(shortest, kept.get(variant(condition)) ?? shortest));
  }
  return conditions.map((condition, i) => {
    const most = kept.get(variant(condition))!;
    return built[i]!.parts.every(({ input }) => input.documentTokens === most) ? built[i]! : build(condition, most);
  });
}

/** The function, computed once for each key. */
function once<T>(keyOf: (argument: T) => string, make: (argument: T) => string): (argument: T) => string {
  const known = new Map<string, string>();
  return (argument) => {
    const key = keyOf(argument);
    const made = known.get(key) ?? make(argument);
    known.set(key, made);
    return made;
  };
}

function makeDocument(plan: Plan, { sample, index }: Unit, { document }: Condition, tokenizer: Tokenizer): string {
  if (!document) return sample.document;
  if (document === 'none') return '';
  if ('first_words' in document) return splitWords(sample.document).slice(0, document.first_words).join(' ');
  if (plan.padding.length === 0) {
    throw new DkvError('INPUT_INVALID', 'The dataset has no other texts to make documents longer with.');
  }
  const start = index * plan.experiment.padding_step;
  return lengthen(tokenizer, sample.document, document.tokens, plan.padding, start);
}
