/**
 * The checkpoint's own tokenizer (`tokenizer.json`), for plain text: no chat template anywhere. It gives the token ids of Python's
 * `transformers`, or none: see docs/parity.md.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { readTextIfPresent } from '../../base/files.js';
import { parse } from '../../base/parse.js';
import { SAVE_ANEW, tokenizerInstead } from '../files/other-forms.js';
import { AddedTokens } from './added-tokens.js';
import { type AddedToken, type Description, descriptionSchema } from './description.js';
import { NATIVE_PACKAGE, nativeCodec } from './native.js';
import { type Codec, type Frame, frameOf, runPipeline } from './pipeline.js';
import { drawsTokens, provenPipeline } from './pipelines.js';
import { parseAsRust } from './rust-numbers.js';
import { type Resolved, resolveSettings } from './settings.js';

/** How a control token such as `<bos>` is read when a text contains its spelling. */
export const CONTROL_TOKENS = ['text', 'keep'] as const;

/**
 * `text` reads it as ordinary text, like `split_special_tokens=True` in transformers. `keep` reads it as the control token, which is the default of
 * transformers.
 */
export type ControlTokens = (typeof CONTROL_TOKENS)[number];

export interface Tokenizer {
  /** SHA-256 (hex) of everything that decides token ids: `tokenizer.json`, and the added tokens where other files change them. */
  readonly digest: string;
  /** How control tokens in texts are read. It is also `text` where the checkpoint sets `split_special_tokens`. */
  readonly controlTokens: ControlTokens;
  /**
   * Encodes a text to token ids, with nothing added.
   * @throws DkvError INPUT_INVALID for a token that the model does not know, and for half of a surrogate pair; INPUT_TOO_LONG
   */
  encode(text: string): Int32Array;
  /** The ids around every text, as the tokenizer's own post-processor adds them: BOS in front for Gemma, an end of text behind for T5. */
  readonly frame: Frame;
  /** Encodes a text to token ids in its frame. */
  encodeFramed(text: string): Int32Array;
  /**
   * Takes the beginning of a text that has at least this many tokens, the same ones that the whole text begins with. It returns the whole text
   * where that has no more tokens, or cannot be cut.
   * @throws DkvError INPUT_INVALID for half of a surrogate pair anywhere
   */
  head(text: string, tokens: number): string;
  /** Decodes token ids to a text. Special tokens are left out. */
  decode(tokenIds: Int32Array): string;
  /** Lists the control tokens whose spelling a text contains, each once, whether or not they are read as text. */
  controlTokensIn(text: string): string[];
  /**
   * Tells whether a control token is also a piece of the vocabulary, as `</s>` of T5 is. Such a token gets its id even where it is read as text.
   */
  isPiece(controlToken: string): boolean;
  /** Ends the native package's thread, where one runs. */
  close(): Promise<void>;
}

/**
 * @param model how many ids it knows
 * @param controlTokens what literal control tokens in texts are; text when left out
 * @throws DkvError CHECKPOINT_INVALID when a file is missing, broken or holds ids beyond the config's vocabulary; MODEL_UNSUPPORTED, by
 *   name, for pipelines that are not proven to equal Python's, and for settings that are not followed
 */
export async function loadTokenizer(
  directory: string,
  { vocabularySize }: { readonly vocabularySize: number },
  controlTokens: ControlTokens = 'text',
): Promise<Tokenizer> {
  const file = path.join(directory, 'tokenizer.json');
  const { bytes, description } = await readDescription(file);
  const { tokens, splitsSpecial, built } = await readSettings(directory, description);
  const { codec, frame } = await codecOf(file, bytes, built ?? description, tokens, built !== undefined);
  // Added tokens may lie beyond (Gemma's image token does); a text that holds one is refused when it is encoded.
  if (codec.highestId >= vocabularySize) {
    throw new DkvError(
      'CHECKPOINT_INVALID',
      `${file}: holds token id ${codec.highestId}; config.json has a vocabulary of ${vocabularySize}.`,
    );
  }
  const digest = createHash('sha256').update(bytes);
  if (!isDeepStrictEqual(tokens, description.added_tokens)) digest.update(JSON.stringify(tokens));
  if (built) digest.update(JSON.stringify(['T5Tokenizer', built.post_processor]));
  // A checkpoint may say itself that control tokens in texts are text; what is made of them is told by the choice that took effect.
  const effective = splitsSpecial ? 'text' : controlTokens;
  const splitSpecial = effective === 'text';
  const literals = new AddedTokens(tokens);
  const encode = (text: string, { before, after }: Frame) => {
    expectWellFormed(text);
    expectAffordable(text);
    const ids = Int32Array.from([...before, ...codec.encode(text, splitSpecial), ...after]);
    const foreign = ids.find((id) => id >= vocabularySize);
    if (foreign === undefined) return ids;
    throw new DkvError(
      'INPUT_INVALID',
      `The text ${JSON.stringify(text.slice(0, 40))}... holds ${codec.tokenOf(foreign) ?? ''} (id ${foreign}), which this model's vocabulary of ${vocabularySize} lacks.`,
    );
  };
  return {
    digest: digest.digest('hex'),
    controlTokens: effective,
    frame,
    encode: (text) => encode(text, BARE_TEXT),
    encodeFramed: (text) => encode(text, frame),
    head(text, tokens) {
      expectWellFormed(text);
      const { cuts } = codec;
      if (!cuts || text.length <= MANY_CHARACTERS * tokens) return text;
      let [end, found] = [0, 0];
      while (end < text.length && found < tokens) {
        const start = end;
        end = cuts.next(text, start + Math.max(LEAST_PIECE, COMMON_CHARACTERS * (tokens - found)));
        expectAffordable(text.slice(start, end));
        found += codec.encode(text.slice(start, end), splitSpecial).length;
      }
      return text.slice(0, end);
    },
    decode: (tokenIds) => codec.decode([...tokenIds]),
    controlTokensIn: (text) => [...literals.specialIn(text)],
    isPiece(controlToken) {
      const own = tokens.find(({ content }) => content === controlToken);
      return own !== undefined && [...codec.encode(controlToken, true)].includes(own.id);
    },
    close: () => codec.close(),
  };
}

const BARE_TEXT: Frame = { before: [], after: [] };

async function readDescription(file: string): Promise<{ bytes: Buffer; description: Description }> {
  const invalid = (message: string) => new DkvError('CHECKPOINT_INVALID', `${file}: ${message}`);
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw invalid(messageOf(error));
    const instead = tokenizerInstead(await readdir(path.dirname(file)).catch(() => []));
    throw invalid(`no such file${instead ? `: ${instead}. ${SAVE_ANEW}` : '. Texts cannot be tokenised without it.'}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid(`not a usable tokenizer: ${messageOf(error)}`);
  }
  return {
    bytes,
    description: parse(descriptionSchema, json, 'CHECKPOINT_INVALID', `${file}: not a usable tokenizer`),
  };
}

async function readSettings(directory: string, description: Description): Promise<Resolved> {
  const read = async (name: string): Promise<unknown> => {
    const text = await readTextIfPresent(path.join(directory, name));
    try {
      return text === undefined ? undefined : JSON.parse(text);
    } catch (error) {
      throw new DkvError('CHECKPOINT_INVALID', `${path.join(directory, name)}: not JSON: ${messageOf(error)}`);
    }
  };
  const config = z
    .looseObject({ tokenizer_class: z.unknown().optional(), model_type: z.unknown().optional() })
    .safeParse(await read('config.json'));
  const companions = {
    tokenizerConfig: await read('tokenizer_config.json'),
    modelTokenizerClass: config.data?.tokenizer_class,
    modelType: config.data?.model_type,
    specialTokensMap: await read('special_tokens_map.json'),
    addedTokens: await read('added_tokens.json'),
  };
  const resolved = resolveSettings(description, companions, directory);
  if (!('refused' in resolved)) return resolved;
  throw new DkvError('MODEL_UNSUPPORTED', `${directory}: this tokenizer cannot be used: ${resolved.refused}.`);
}

/**
 * Makes the codec: this program's own where that is proven to be right, else the native package's where that is installed.
 * @param isBuilt true where transformers builds the pipeline instead of taking the file's
 */
async function codecOf(
  file: string,
  bytes: Buffer,
  description: Description,
  tokens: readonly AddedToken[],
  isBuilt: boolean,
): Promise<{ codec: Codec; frame: Frame }> {
  const advice = isBuilt
    ? 'Use a model with another tokenizer.'
    : `Install the native package beside this one (npm install ${NATIVE_PACKAGE}), which runs every pipeline as Python does, or use a model with another tokenizer.`;
  try {
    const isScored = description.model.type === 'Unigram' && !isBuilt;
    const read = isScored ? descriptionSchema.parse(parseAsRust(bytes.toString('utf8'))) : description;
    const pipeline = provenPipeline({ ...read, added_tokens: [...tokens] });
    if (!('refused' in pipeline)) return { codec: runPipeline(pipeline, tokens), frame: frameOf(pipeline) };
    if (drawsTokens(description)) {
      throw new DkvError(
        'MODEL_UNSUPPORTED',
        `${file}: its model has a dropout, with which a text gets other tokens every time. Set it to null, which is what it was trained for.`,
      );
    }
    const native = isBuilt ? undefined : await nativeCodec(JSON.parse(bytes.toString('utf8')), tokens);
    if (native) return native;
    throw new DkvError(
      'MODEL_UNSUPPORTED',
      `${file}: ${pipeline.refused} makes no pipeline that has been proven equal to Python's tokenizers, and wrong ids would show nowhere but in the numbers. ${advice}`,
    );
  } catch (error) {
    if (error instanceof DkvError) throw error;
    throw new DkvError('CHECKPOINT_INVALID', `${file}: not a usable tokenizer: ${messageOf(error)}`);
  }
}

/** The number of characters per token below which a text is tokenised whole, which costs little. */
const MANY_CHARACTERS = 16;
/** The number of characters of a token in running text. */
const COMMON_CHARACTERS = 5;
const LEAST_PIECE = 256;

/** The largest text in characters. In one piece it takes about a second; no supported model reads as much. */
const MOST_CHARACTERS = 2_000_000;

function expectAffordable(text: string): void {
  if (text.length <= MOST_CHARACTERS) return;
  throw new DkvError(
    'INPUT_TOO_LONG',
    `The text ${JSON.stringify(text.slice(0, 40))}... has ${text.length} characters without a place to cut it; at most ${MOST_CHARACTERS} are tokenised in one piece. Shorten it.`,
  );
}

/** Refuses text that is not well-formed. Files and programs that pass such text on replace it, each in its own way. */
function expectWellFormed(text: string): void {
  const at = text.search(/\p{Surrogate}/u);
  if (at < 0) return;
  const code = text.charCodeAt(at).toString(16).toUpperCase();
  throw new DkvError(
    'INPUT_INVALID',
    `The text ${JSON.stringify(text.slice(0, 40))}... has half of a surrogate pair, U+${code}, at character ${at + 1}: no UTF-8 text can hold that. It was cut within a character, or escaped wrongly.`,
  );
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
  return { ...tokenizer, encode: remember(tokenizer.encode), encodeFramed: remember(tokenizer.encodeFramed) };
}
