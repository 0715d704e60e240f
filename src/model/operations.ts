/** How much there is to multiply, from a model's config: the time of a machine whose speed is known follows from it. */
import { familyOf, type ModelConfig } from './families/families.js';
import { weightCount } from './memory.js';

/** What a model is to work off. */
export interface RowCounts {
  /** The rows that the encoder reads. */
  readonly rows: number;
  /** The decoder's own rows. */
  readonly decoderRows: number;
  /** The encoder rows that become keys and values of the decoder. */
  readonly readRows: number;
  /** The tokens whose probabilities the head computes. */
  readonly scoredTokens: number;
}

/**
 * Operations of the products with weights, two for a multiplication with its addition. Attention is left out: of T5Gemma 2's rows it is less than a tenth up to
 * two thousand tokens.
 */
export function productOperations(
  config: ModelConfig,
  { rows, decoderRows, readRows, scoredTokens }: RowCounts,
): number {
  const { encoder, decoder, vocabularySize } = familyOf(config).shape(config);
  const ofRead = 2 * decoder.layers * decoder.kvHeads * decoder.headDim * encoder.width;
  return (
    2 *
    (rows * weightCount(config, 'encoder.') +
      decoderRows * weightCount(config, 'decoder.') +
      readRows * ofRead +
      scoredTokens * vocabularySize * decoder.width)
  );
}
