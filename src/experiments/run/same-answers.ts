/** A run that goes on holds its answers against the wrong ones that its samples name. */
import { DkvError } from '../../base/errors.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { WrongAnswers } from '../plan/wrong-answers.js';
import { isKept } from './kept-text.js';

/**
 * @param directory of the run, for the message
 * @throws DkvError RUN_MISMATCH where another version of the program would choose other ones
 */
export function expectSameWrongAnswers(
  records: readonly SampleRecord[],
  wrongAnswers: WrongAnswers,
  directory: string,
): void {
  const other = records.find(({ id, wrong_answers = [] }) => {
    const chosen = wrongAnswers.get(id) ?? [];
    return (
      chosen.length !== wrong_answers.length || !wrong_answers.every(({ answer }, i) => isKept(answer, chosen[i]!.text))
    );
  });
  if (other === undefined) return;
  throw new DkvError(
    'RUN_MISMATCH',
    `${directory}: samples.jsonl names other wrong answers of ${other.id} than this version of the program chooses. Go on with the version that began the run, or repeat it in another folder (--out).`,
  );
}
