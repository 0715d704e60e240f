/** Surrogates that functions of the experiment make, where a run goes on: their texts are those that the run's trials were made with. */
import { sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import type { Encoding } from '../../priming/condition.js';
import { functionNamed } from '../../priming/surrogate-form.js';
import type { FunctionTexts } from '../../priming/surrogate-kinds.js';
import { type Entry, isRejection } from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { KeptText } from '../../runs/schema/kept-text.js';

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
    if (isRejection(entry)) continue;
    const recorded = [entry.prefix, ...(entry.also_prefixes ?? [])];
    for (const [i, { surrogate = '' }] of encodings.get(entry.condition)!.entries()) {
      const [text, was] = [texts.get(surrogate)?.get(entry.sample), recorded[i]];
      if (text === undefined || was == null || (typeof text === 'string' && isText(was, text))) continue;
      throw new DkvError(
        'RUN_MISMATCH',
        `${directory} holds trials of ${entry.sample} with another text of the surrogate function "${functionNamed(surrogate)!.name}" than it gives now. What it calls or reads has changed, or it does not depend on the sample alone. Choose another folder with --out, or bring back what it was.`,
      );
    }
  }
}

function isText(recorded: KeptText, text: string): boolean {
  return typeof recorded === 'string' ? recorded === text : recorded.sha256 === sha256(text).toString('hex');
}
