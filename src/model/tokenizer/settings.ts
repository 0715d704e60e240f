/**
 * What transformers (5.23) makes of `tokenizer.json` by the files beside it. Most keys of `tokenizer_config.json` change nothing there,
 * and so they change nothing here: those of lower case, accents, white space, length and padding, `add_bos_token` and `add_eos_token`.
 * What does change token ids is read here: the class, and tokens that are named beyond those of `tokenizer.json`.
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { parse } from '../../base/parse.js';
import { BYTE_CHARACTERS } from './bytes.js';
import type { AddedToken, Description } from './description.js';
import { asT5Tokenizer, sentinelsBeside, T5_NAMES } from './t5-class.js';

const flags = {
  content: z.string().min(1),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  special: z.boolean().default(false),
};
const flaggedSchema = z
  .looseObject({ ...flags, normalized: z.boolean().optional() })
  .transform(({ content, single_word, lstrip, rstrip, special, normalized = !special }) => ({
    content,
    single_word,
    lstrip,
    rstrip,
    normalized,
    special,
  }));
const namedSchema = z.union([z.string(), flaggedSchema]);

type Flagged = z.infer<typeof flaggedSchema>;
type Named = z.infer<typeof namedSchema>;

const settingsSchema = z.looseObject({
  tokenizer_class: z.string().nullish(),
  auto_map: z.unknown().optional(),
  fast_tokenizer_files: z.array(z.string()).optional(),
  split_special_tokens: z.boolean().default(false),
  add_prefix_space: z.boolean().default(false),
  added_tokens_decoder: z.record(z.string().regex(/^\d+$/), flaggedSchema).optional(),
  extra_special_tokens: z.union([z.array(namedSchema), z.record(z.string(), namedSchema)]).nullish(),
  additional_special_tokens: z.array(namedSchema).nullish(),
  extra_ids: z.int().nonnegative().optional(),
});

type Settings = z.infer<typeof settingsSchema>;

/** The files beside `tokenizer.json`, as they are parsed; undefined where there is none. */
export interface Companions {
  readonly tokenizerConfig?: unknown;
  /** The `tokenizer_class` of config.json, which counts where `tokenizer_config.json` names none. */
  readonly modelTokenizerClass?: unknown;
  /** The `model_type` of config.json, by which transformers chooses a class where none is named. */
  readonly modelType?: unknown;
  readonly specialTokensMap?: unknown;
  readonly addedTokens?: unknown;
}

export interface Resolved {
  /** All added tokens, with their flags. */
  readonly tokens: readonly AddedToken[];
  /** The setting `split_special_tokens`: control tokens in a text are read as text even if nobody asks for that. */
  readonly splitsSpecial: boolean;
  /** The pipeline, where transformers builds it itself whatever tokenizer.json says. */
  readonly built?: Description;
}

const NAMED_FIRST = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];

/**
 * The added tokens that transformers would work with.
 * @param directory that the files are in, for messages
 * @returns `refused` names the file and key that this program does not follow
 * @throws DkvError CHECKPOINT_INVALID for files of another form
 */
export function resolveSettings(
  description: Description,
  companions: Companions,
  directory = '',
): Resolved | { readonly refused: string } {
  const read = <T>(schema: z.ZodType<T>, json: unknown, name = 'tokenizer_config.json') =>
    parse(schema, json ?? {}, 'CHECKPOINT_INVALID', path.join(directory, name));
  const written = read(settingsSchema, companions.tokenizerConfig);
  const { auto_map, fast_tokenizer_files: others, added_tokens_decoder: decoder } = written;
  const untyped = untypedToken(companions.tokenizerConfig ?? {});
  if (untyped !== undefined) {
    return {
      refused: `${untyped} in tokenizer_config.json is an object without "__type": "AddedToken", which transformers takes for no token`,
    };
  }
  if (auto_map != null) return { refused: 'tokenizer_config.json has auto_map: the tokenizer is code of its own' };
  if (others?.some((name) => name !== 'tokenizer.json')) {
    return { refused: `tokenizer_config.json has fast_tokenizer_files (${others.join(', ')})` };
  }
  // Older files, which count where tokenizer_config.json lists no tokens.
  const older = decoder
    ? {}
    : read(z.record(z.string(), z.unknown()), companions.specialTokensMap, 'special_tokens_map.json');
  const own = ['additional_special_tokens', 'extra_special_tokens'].filter((key) => isListed(written[key], key));
  if (own.length > 0 && isNonEmpty(older.extra_special_tokens)) {
    return { refused: `special_tokens_map.json has extra_special_tokens beside ${own[0]} of tokenizer_config.json` };
  }
  if (Array.isArray(older.extra_special_tokens)) {
    older.extra_special_tokens = older.extra_special_tokens.map((token: unknown) =>
      typeof token === 'object' ? { ...token, special: true } : token,
    );
  }
  // Of two lists of other control tokens the one in tokenizer_config.json counts, even if it is empty.
  if (own.length > 0) delete older.additional_special_tokens;
  const settings = read(settingsSchema, { ...written, ...older });
  const byType = CLASS_BY_TYPE[String(companions.modelType)] ?? GENERIC[0];
  const name = (written.tokenizer_class ?? companions.modelTokenizerClass ?? byType) as string;
  const rebuilt = GENERIC.includes(name) ? undefined : REBUILT[name.replace(/Fast$/, '')];
  if (!rebuilt && !GENERIC.includes(name)) {
    return {
      refused: `tokenizer_class is ${name}, for which transformers builds a pipeline of its own, which has not been compared. If tokenizer.json is right as it is, name PreTrainedTokenizerFast there`,
    };
  }
  const differing = rebuilt?.differing(description, settings);
  if (differing) {
    return {
      refused: `tokenizer_class is ${name}, for which transformers builds another ${differing} than tokenizer.json has`,
    };
  }
  const unlisted = Object.keys(
    decoder ? {} : read(z.record(z.string(), z.unknown()), companions.addedTokens, 'added_tokens.json'),
  ).find((content) => !description.added_tokens.some((token) => token.content === content));
  if (unlisted !== undefined) {
    return { refused: `added_tokens.json has ${JSON.stringify(unlisted)}, which tokenizer.json lacks` };
  }
  const tokens = withListed(description, decoder, rebuilt !== undefined);
  if ('refused' in tokens) return tokens;
  if (rebuilt === t5 && own.length === 0 && older.extra_special_tokens === undefined) {
    const listed = settings.additional_special_tokens ?? undefined;
    const sentinels = sentinelsBeside(listed?.map(contentOf), settings.extra_ids);
    if ('refused' in sentinels) return sentinels;
    settings.additional_special_tokens = [...(listed ?? []), ...sentinels];
  }
  withNamed(tokens.tokens, settings, rebuilt?.names ?? {}, description);
  const resolved = { tokens: tokens.tokens, splitsSpecial: settings.split_special_tokens };
  if (rebuilt !== t5) return resolved;
  const end = namedSchema.safeParse({ ...T5_NAMES, ...settings }.eos_token);
  if (!end.success) return { refused: `tokenizer_class is ${name}, and there is no eos_token` };
  return { ...resolved, built: asT5Tokenizer(description, tokens.tokens, contentOf(end.data)) };
}

/** Tells whether there is a list of control tokens, empty or not. An object that gives them names is not a list. */
function isListed(value: unknown, key: string): boolean {
  return value !== undefined && !(key === 'extra_special_tokens' && value !== null && !Array.isArray(value));
}

function isNonEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}

/**
 * Finds a token of tokenizer_config.json that is described in another way than transformers writes it.
 * @returns its key
 */
function untypedToken(written: object): string | undefined {
  const isUntyped = (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !('__type' in value && value.__type === 'AddedToken');
  return Object.entries(written).find(([key, value]) => {
    if (key.endsWith('_token')) return isUntyped(value);
    const isList = key === 'extra_special_tokens' || key === 'additional_special_tokens';
    return isList && typeof value === 'object' && value !== null && Object.values(value).some(isUntyped);
  })?.[0];
}

/** The classes for which transformers takes tokenizer.json as it is. */
const GENERIC: readonly string[] = ['PreTrainedTokenizerFast', 'TokenizersBackend', 'PreTrainedTokenizer'];

/** A class that transformers builds anew around the vocabulary and merges of tokenizer.json, and its own names of tokens. */
interface Rebuilt {
  /** @returns the part in which tokenizer.json differs from what is built */
  differing(description: Description, settings: Settings): string | undefined;
  readonly names: Readonly<Record<string, string>>;
}

const MARK = { String: '▁' };
const GEMMA = {
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  pre_tokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
  decoder: {
    type: 'Sequence',
    decoders: [{ type: 'Replace', pattern: MARK, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }],
  },
} as const;

const GEMMA_NAMES = {
  bos_token: '<bos>',
  eos_token: '<eos>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};
const gemma: Rebuilt = {
  names: GEMMA_NAMES,
  differing({ model, ...parts }, { unk_token = GEMMA_NAMES.unk_token }) {
    for (const part of ['normalizer', 'pre_tokenizer', 'decoder'] as const) {
      if (!isDeepStrictEqual(parts[part], GEMMA[part])) return part;
    }
    const isSame =
      model.type === 'BPE' && model.byte_fallback === true && model.fuse_unk === true && !model.ignore_merges;
    return isSame && model.unk_token === unk_token ? undefined : 'model';
  },
};

/** The class of GPT-2 and its successors: all bytes are in the vocabulary, so that nothing is unknown. */
const byteLevel = (names: Rebuilt['names'], processor?: string): Rebuilt => ({
  names,
  differing({ normalizer, pre_tokenizer, decoder, model, post_processor }, { add_prefix_space }) {
    if (normalizer) return 'normalizer';
    const isSameSplit = pre_tokenizer?.type === 'ByteLevel' && pre_tokenizer.use_regex !== false;
    if (!isSameSplit || pre_tokenizer.add_prefix_space !== add_prefix_space) return 'pre_tokenizer';
    if (decoder?.type !== 'ByteLevel') return 'decoder';
    if (processor !== undefined && post_processor?.type !== processor) return 'post_processor';
    const isSame = model.type === 'BPE' && !model.byte_fallback && !model.fuse_unk && !model.ignore_merges;
    return isSame && byteCount(model.vocab) === 256 ? undefined : 'model';
  },
});

const END = '<|endoftext|>';
const roberta = byteLevel(
  {
    bos_token: '<s>',
    eos_token: '</s>',
    sep_token: '</s>',
    cls_token: '<s>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  },
  'RobertaProcessing',
);

const t5: Rebuilt = {
  names: T5_NAMES,
  differing({ model }) {
    return model.type === 'Unigram' && Array.isArray(model.vocab) ? undefined : 'model';
  },
};

/** The classes of model types that do not take tokenizer.json as it is. */
const CLASS_BY_TYPE: Readonly<Record<string, string>> = { t5: 'T5Tokenizer', mt5: 'T5Tokenizer' };

const REBUILT: Readonly<Record<string, Rebuilt>> = {
  GemmaTokenizer: gemma,
  GPT2Tokenizer: byteLevel({ bos_token: END, eos_token: END, unk_token: END }),
  RobertaTokenizer: roberta,
  BartTokenizer: roberta,
  T5Tokenizer: t5,
};

/** Adds the tokens that tokenizer_config.json lists to those of tokenizer.json. */
function withListed(
  { added_tokens, model }: Description,
  decoder: Settings['added_tokens_decoder'],
  isRebuilt: boolean,
): { tokens: AddedToken[] } | { readonly refused: string } {
  const tokens = added_tokens.map((token) => ({ ...token }));
  if (!decoder) return { tokens };
  const listed = Object.entries(decoder).sort(([a], [b]) => Number(a) - Number(b));
  for (const [, token] of listed) {
    const known = tokens.find(({ content }) => content === token.content);
    if (!known) {
      append(tokens, token, model);
      continue;
    }
    const { id: _, ...own } = known;
    if (!isDeepStrictEqual(own, { ...token })) {
      return {
        refused: `the flags of ${JSON.stringify(token.content)} in tokenizer_config.json are not those of tokenizer.json`,
      };
    }
  }
  const names = new Set(listed.map(([, { content }]) => content));
  const unlisted = isRebuilt ? tokens.find(({ content }) => !names.has(content)) : undefined;
  if (!unlisted) return { tokens };
  return { refused: `tokenizer_config.json does not list the added token ${JSON.stringify(unlisted.content)}` };
}

/** Adds the tokens that have a name. They are control tokens, and are added where they are not yet. */
function withNamed(
  tokens: AddedToken[],
  settings: Settings,
  defaults: Readonly<Record<string, string>>,
  { model }: Description,
): void {
  const { extra_special_tokens: extra, additional_special_tokens: additional } = settings;
  const byName: Record<string, unknown> = { ...defaults, ...settings };
  const isNamed = (value: unknown): value is Named => namedSchema.safeParse(value).success;
  const others = Object.keys(settings).filter((key) => key.endsWith('_token') && !NAMED_FIRST.includes(key));
  const named = [
    ...NAMED_FIRST.map((key) => byName[key]),
    ...others.map((key) => byName[key]),
    ...(extra && !Array.isArray(extra) ? Object.values(extra) : []),
  ]
    .filter(isNamed)
    .map(controlToken);
  const names = new Set(named.map(({ content }) => content));
  for (const [at, token] of tokens.entries()) if (names.has(token.content)) tokens[at] = { ...token, special: true };
  const listed = Array.isArray(extra) && extra.length > 0 ? extra : (additional ?? []);
  for (const token of [...named, ...listed.map(listedToken)]) {
    if (!tokens.some(({ content }) => content === token.content)) append(tokens, token, model);
  }
}

function contentOf(named: Named): string {
  return typeof named === 'string' ? named : named.content;
}

function controlToken(named: Named): Flagged {
  if (typeof named !== 'string') return { ...flaggedSchema.parse(named), special: true };
  return { content: named, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** Makes a listed token. A token that is described says itself whether it is a control token. */
function listedToken(named: Named): Flagged {
  return typeof named === 'string' ? controlToken(named) : flaggedSchema.parse(named);
}

/** Appends a token with the id that Python's tokenizers give it: the vocabulary's, or the next one behind everything. */
function append(tokens: AddedToken[], token: Flagged, model: Description['model']): void {
  const vocabulary = vocabularyOf(model);
  const size = vocabulary.size;
  const id = vocabulary.get(token.content) ?? tokens.reduce((next, { id }) => Math.max(next, id + 1), size);
  tokens.push({ id, ...token });
}

/** The vocabulary of any kind of model: ids by token, or a list of tokens with their scores. */
function vocabularyOf({ vocab }: Description['model']): { size: number; get(token: string): number | undefined } {
  if (Array.isArray(vocab)) {
    const at = (token: string) => vocab.findIndex((entry) => Array.isArray(entry) && entry[0] === token);
    return { size: vocab.length, get: (token) => (at(token) < 0 ? undefined : at(token)) };
  }
  const ids = (vocab ?? {}) as Readonly<Record<string, number>>;
  return { size: Object.keys(ids).length, get: (token) => (Object.hasOwn(ids, token) ? ids[token] : undefined) };
}

/** The number of the 256 characters standing for bytes that a vocabulary has. */
function byteCount(vocab: unknown): number {
  const ids = (vocab ?? {}) as Readonly<Record<string, number>>;
  return BYTE_CHARACTERS.filter((character) => Object.hasOwn(ids, character)).length;
}
