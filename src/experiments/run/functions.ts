/** Surrogates that functions of the experiment make, where a run goes on: their texts are those that the run's trials were made with. */
import { DkvError } from '../../base/errors.js';
import type { Encoding } from '../../priming/condition.js';
import { functionNamed } from '../../priming/surrogate-form.js';
import { failureBy } from '../../priming/surrogate-function.js';
import type { FunctionTexts } from '../../priming/surrogate-kinds.js';
import { type Entry, isRejection, type Rejection } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import { isKept } from './kept-text.js';

/**
 * A function's source says nothing of what it calls or of what stands around it; what it gave does.
 * @param entries of earlier calls
 * @throws DkvError RUN_MISMATCH naming the function and the first sample that it gives another text for
 */
export function expectSameTexts(
  { conditions }: Pick<Experiment, 'conditions'>,
  entries: readonly Entry[],
  texts: FunctionTexts,
  directory: string,
): void {
  if (texts.size === 0) return;
  const encodings = new Map(
    conditions.map(({ also = [], ...own }): [string, Encoding[]] => [own.name, [own, ...also]]),
  );
  for (const entry of entries) {
    if (isRejection(entry)) {
      expectStillFailing(entry, texts, directory);
      continue;
    }
    const recorded = [entry.prefix, ...(entry.also_prefixes ?? [])];
    for (const [i, { surrogate = '' }] of encodings.get(entry.condition)!.entries()) {
      const [text, was] = [texts.get(surrogate)?.get(entry.sample), recorded[i]];
      if (text === undefined || was == null || (typeof text === 'string' && isKept(was, text))) continue;
      throw new DkvError(
        'RUN_MISMATCH',
        `${directory} holds trials of ${entry.sample} with another text of the surrogate function "${functionNamed(surrogate)!.name}" than it gives now. What it calls or reads has changed, or it does not depend on the sample alone. Choose another folder with --out, or bring back what it was.`,
      );
    }
  }
}

/** @throws DkvError RUN_MISMATCH where the function that had no text for the sample gives one now */
function expectStillFailing({ sample, rejected }: Rejection, texts: FunctionTexts, directory: string): void {
  for (const [specification, made] of texts) {
    const { name } = functionNamed(specification)!;
    if (!rejected.startsWith(failureBy(name)) || typeof made.get(sample) !== 'string') continue;
    throw new DkvError(
      'RUN_MISMATCH',
      `${directory} holds the rejection of ${sample} for want of a text of the surrogate function "${name}", and now it gives one. What it calls or reads has changed, or it does not depend on the sample alone. Choose another folder with --out, bring back what it was, or remove the line of ${sample} from the trials to have it scored.`,
    );
  }
}
