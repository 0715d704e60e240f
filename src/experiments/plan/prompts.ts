/** Experiments with surrogates by a language model, where the model at hand writes: it is asked nothing, so that all prompts give the same text. */
import { DkvError } from '../../base/errors.js';
import { SELF_WRITER } from '../../llm/self-writer.js';
import type { Condition } from '../../priming/condition.js';
import { QUERY_PROMPTS } from '../../priming/prompts.js';
import { surrogate } from '../../priming/surrogate.js';
import { type Computable, restricted } from './conditions.js';

/**
 * Leaves out the conditions that differ from others by a prompt alone, and names them.
 * @throws DkvError INPUT_INVALID where the experiment's own question is what differs between prompts
 */
export function withoutPrompts({ experiment, leftOut }: Computable): Computable {
  const { id, conditions, primary = experiment.comparisons[0] } = experiment;
  const isAsked = ({ name }: Condition) => name === primary?.treatment || name === primary?.baseline;
  const first = new Map<string, Condition>();
  // Those of the experiment's own question stay, wherever they stand.
  for (const condition of [...conditions.filter(isAsked), ...conditions]) {
    const key = unprompted(condition);
    if (!first.has(key)) first.set(key, condition);
  }
  const repeated = conditions.filter((condition) => {
    const { name: _, ...other } = first.get(unprompted(condition))!;
    const { name, ...own } = condition;
    return JSON.stringify(own) !== JSON.stringify(other);
  });
  if (repeated.length === 0) return { experiment, leftOut };
  if (repeated.some(isAsked)) {
    throw new DkvError(
      'INPUT_INVALID',
      `Experiment ${id} cannot be run with --writer ${SELF_WRITER}: its primary comparison, ${primary!.treatment} against ${primary!.baseline}, is one of prompts, and the model at hand is asked nothing. Set DKV_LLM_BASE_URL and DKV_LLM_MODEL, or choose another experiment.`,
    );
  }
  const names = new Set(repeated.map(({ name }) => name));
  const reason = 'the model at hand is asked nothing, and another prompt would give the same text again';
  return {
    experiment: restricted(experiment, (name) => !names.has(name)),
    leftOut: [...leftOut, ...[...names].map((condition) => ({ condition, reason }))],
  };
}

/** A condition without the prompts that its language models are given. */
function unprompted(condition: Condition): string {
  const { name: _, ...presented } = condition;
  return JSON.stringify(presented, (member, value: unknown) =>
    member === 'surrogate' && typeof value === 'string' ? withoutPrompt(value) : value,
  );
}

const NAMED = new RegExp(`llm:(?:${Object.keys(QUERY_PROMPTS).join('|')})`, 'g');

function withoutPrompt(specification: string): string {
  const prompts = surrogate(specification).preparations.flatMap((one) => (one.by === 'llm' ? one.prompt : []));
  if (prompts.length === 0) return specification;
  const without = prompts.reduce((text, prompt) => text.replaceAll(`llm:prompt=${prompt}`, 'llm:'), specification);
  return without.replace(NAMED, 'llm:');
}
