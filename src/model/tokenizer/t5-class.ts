/**
 * `T5Tokenizer` of transformers (5.23), which T5, FLAN-T5 and mT5 name: it takes vocabulary, scores and character map from
 * tokenizer.json and builds the rest itself, whatever stands there. A file of another form, such as T5 1.1 with `legacy: false`, so has
 * the ids of this pipeline there, and so it has them here.
 */
import type { AddedToken, Description, Part } from './description.js';

export const T5_NAMES = { eos_token: '</s>', unk_token: '<unk>', pad_token: '<pad>' };

/** The default of its argument `extra_ids`. */
const SENTINELS = 100;

/**
 * The control tokens that it adds beside those that have a name and those that are listed.
 * @param listed contents of `additional_special_tokens`; undefined for no list
 */
export function sentinelsBeside(
  listed: readonly string[] | undefined,
  count = SENTINELS,
): string[] | { readonly refused: string } {
  const found = listed?.filter((content) => content.includes('<extra_id_')).length ?? 0;
  if (found === 0) return Array.from({ length: count }, (_, at) => `<extra_id_${at}>`);
  if (count === 0 || found === count) return [];
  return {
    refused: `extra_ids is ${count} where additional_special_tokens has ${found} of that name, which T5Tokenizer refuses`,
  };
}

/**
 * The pipeline that it builds.
 * @param tokens all added tokens
 * @param end content of the token that ends a text
 */
export function asT5Tokenizer(description: Description, tokens: readonly AddedToken[], end: string): Description {
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
  const id = tokens.find(({ content }) => content === end)!.id;
  return {
    added_tokens: [...tokens],
    normalizer: characterMapOf(description.normalizer),
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    model: { type: 'Unigram', unk_id: 2, byte_fallback: false, vocab: description.model.vocab },
    post_processor: {
      type: 'TemplateProcessing',
      single: [{ Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 0 } }],
      pair: [],
      special_tokens: { '</s>': { id: '</s>', ids: [id], tokens: ['</s>'] } },
    },
    decoder: metaspace,
  };
}

/** The first character map in a normalizer. */
function characterMapOf(normalizer: Part | null): Part | null {
  const parts = normalizer?.type === 'Sequence' ? (normalizer.normalizers as readonly Part[]) : [normalizer];
  const found = parts.find((part) => part?.type === 'Precompiled');
  return found ? { type: 'Precompiled', precompiled_charsmap: found.precompiled_charsmap } : null;
}
