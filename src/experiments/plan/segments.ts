/** Which segments a model's inputs have: some tokenizers put nothing before a text, or drop line breaks. */
import type { Tokenizer } from '../../model/tokenizer/tokenizer.js';
import type { Segment } from '../../priming/input.js';

export function segmentsOf(_model: { readonly tokenizer: Tokenizer }): ReadonlySet<Segment> {
  return new Set<Segment>(['bos', 'prefix', 'separator', 'document']);
}
