/** Mean NLLs of the items' answers: of the document alone, behind its question, or of anything else that a check makes of an item. */
import { present } from '../../priming/condition.js';
import type { InputTexts, Visibility } from '../../priming/input.js';
import { type InputToScore, scoreInputs } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { mean } from '../../stats/describe.js';
import type { SanityOptions } from './check.js';
import type { Item } from './items.js';

/** The figures that several checks compare with: mean NLLs, with everything visible, of the document alone and behind the real question. */
export interface Known {
  readonly bare: readonly number[];
  readonly oracle: readonly number[];
}

/** Mean NLL of each item's answer when `of` says what the encoder reads and the decoder sees. */
export async function meanNlls(
  model: Model,
  items: readonly Item[],
  { maxTokens, signal }: SanityOptions,
  of: (item: Item) => InputTexts & { visibility: Visibility; answer?: string },
): Promise<number[]> {
  const { tokenizer, engine } = model;
  const inputs = items.map((item): InputToScore => {
    const { visibility, answer = item.asked.answer, document, prefix } = of(item);
    const part = present(tokenizer, { visibility }, document, prefix, { maxTokens });
    return { parts: [part], prompt: new Int32Array(0), target: tokenizer.encode(answer) };
  });
  const nlls = await scoreInputs(engine, inputs, signal ? { signal } : {});
  return nlls.map((tokens) => mean(tokens));
}

export const bare = ({ ad }: Item) => ({ document: ad.text, visibility: 'full' as const });
export const bareHidden = ({ ad }: Item) => ({ document: ad.text, visibility: 'exact' as const });
export const asks = (visibility: Visibility) => (item: Item) => ({
  document: item.ad.text,
  prefix: item.asked.query,
  visibility,
});
