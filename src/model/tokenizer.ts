/** The checkpoint's own tokenizer (`tokenizer.json`), for plain text: no chat template anywhere. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { DkvError, messageOf } from '../errors.js';
import type { ModelConfig } from './config.js';

export interface Tokenizer {
  /** SHA-256 (hex) of `tokenizer.json`. */
  readonly digest: string;
  /** Token ids of a text, nothing added. @throws DkvError INPUT_INVALID for a token that the model does not know */
  encode(text: string): Int32Array;
  /** Token ids of a text with BOS in front. */
  encodeWithBos(text: string): Int32Array;
  /** The text of token ids; special tokens are left out. */
  decode(tokenIds: Int32Array): string;
}

/**
 * @throws DkvError CHECKPOINT_INVALID when a file is missing, broken or holds ids beyond the config's vocabulary;
 *   MODEL_UNSUPPORTED when the tokenizer frames a text with anything but one BOS in front
 */
export async function loadTokenizer(directory: string, config: ModelConfig): Promise<Tokenizer> {
  const file = path.join(directory, 'tokenizer.json');
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw invalid(missing ? 'no such file. Texts cannot be tokenised without it.' : messageOf(error));
  }
  const settings = await readFile(path.join(directory, 'tokenizer_config.json'), 'utf8').catch(() => '{}');
  let tokenizer: HuggingFaceTokenizer;
  try {
    tokenizer = new HuggingFaceTokenizer(JSON.parse(bytes.toString('utf8')), JSON.parse(settings));
  } catch (error) {
    throw invalid(`not a usable tokenizer: ${messageOf(error)}`);
  }
  // Added tokens may lie beyond (Gemma's image token does); a text that holds one is refused when it is encoded.
  let highest = 0;
  for (const id of tokenizer.get_vocab(false).values()) highest = Math.max(highest, id);
  if (highest >= config.vocabularySize) {
    throw invalid(`holds token id ${highest}; config.json has a vocabulary of ${config.vocabularySize}.`);
  }
  const frame = tokenizer.encode('').ids;
  if (frame.length !== 1 || frame[0] !== config.bosTokenId) {
    throw new DkvError(
      'MODEL_UNSUPPORTED',
      `${file}: an empty text becomes [${frame}]; expected BOS alone, [${config.bosTokenId}].`,
    );
  }
  const checked = (text: string, ids: readonly number[]) => {
    const foreign = ids.find((id) => id >= config.vocabularySize);
    if (foreign === undefined) return Int32Array.from(ids);
    const token = tokenizer.id_to_token(foreign) ?? '';
    throw new DkvError(
      'INPUT_INVALID',
      `The text "${text.slice(0, 40)}..." holds ${token} (id ${foreign}), which this model's vocabulary of ${config.vocabularySize} lacks.`,
    );
  };
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    encode: (text) => checked(text, tokenizer.encode(text, { add_special_tokens: false }).ids),
    encodeWithBos: (text) => checked(text, tokenizer.encode(text).ids),
    // The library refuses no ids at all, which a model that has nothing to say gives.
    decode: (tokenIds) => (tokenIds.length > 0 ? tokenizer.decode([...tokenIds], { skip_special_tokens: true }) : ''),
  };
}

/** A tokenizer that remembers what it has encoded: for a few texts that are needed in many combinations. */
export function remembering(tokenizer: Tokenizer): Tokenizer {
  const remember = (encode: (text: string) => Int32Array) => {
    const known = new Map<string, Int32Array>();
    return (text: string) => {
      let ids = known.get(text);
      if (!ids) {
        ids = encode(text);
        known.set(text, ids);
      }
      return ids;
    };
  };
  return { ...tokenizer, encode: remember(tokenizer.encode), encodeWithBos: remember(tokenizer.encodeWithBos) };
}
