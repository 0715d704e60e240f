/**
 * `tokenizer.json` as Python's tokenizers write it: its whole pipeline, from normalizer to decoder. What the file says is checked here;
 * whether this program can run it is decided in pipelines.ts.
 */
import { z } from 'zod';

/** A part of the pipeline before it is known which: `type` and what that type needs. */
const partSchema = z.looseObject({ type: z.string() });

export type Part = z.infer<typeof partSchema>;

const addedTokenSchema = z.strictObject({
  id: z.int().nonnegative(),
  content: z.string().min(1),
  /** True for a token that is found only where no word character stands beside it. */
  single_word: z.boolean(),
  /** True where white space before the token belongs to it. */
  lstrip: z.boolean(),
  /** True where white space behind the token belongs to it. */
  rstrip: z.boolean(),
  /** True for a token that is looked for in the normalized text. */
  normalized: z.boolean(),
  /** True for a control token, which is no text and is left out when ids become text again. */
  special: z.boolean(),
});

/** A string that becomes one token wherever it stands. */
export type AddedToken = Readonly<z.infer<typeof addedTokenSchema>>;

/** The schema of a vocabulary. It has up to millions of entries, for which a loop is faster than a schema for each. */
const vocabularySchema = z.custom<Readonly<Record<string, number>>>(
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    for (const id of Object.values(value)) if (!Number.isInteger(id) || id < 0 || id >= 2 ** 31) return false;
    return true;
  },
  { error: 'expected an id for each token' },
);

/** The schema of merges: pairs, which older files write as one string with a space between. */
const mergesSchema = z.custom<readonly (string | readonly [string, string])[]>(
  (value) =>
    Array.isArray(value) &&
    value.every((merge) =>
      typeof merge === 'string'
        ? merge.split(' ').length === 2
        : Array.isArray(merge) && merge.length === 2 && merge.every((piece) => typeof piece === 'string'),
    ),
  { error: 'expected pairs of tokens' },
);

export const descriptionSchema = z.object({
  added_tokens: z.array(addedTokenSchema).default([]),
  normalizer: partSchema.nullish().transform((part) => part ?? null),
  pre_tokenizer: partSchema.nullish().transform((part) => part ?? null),
  post_processor: partSchema.nullish().transform((part) => part ?? null),
  decoder: partSchema.nullish().transform((part) => part ?? null),
  model: partSchema,
});

/**
 * `truncation` and `padding` are left out on purpose: transformers resets both for every call that does not ask for them, and this program
 * cuts by its own options.
 */
export type Description = z.infer<typeof descriptionSchema>;

/** The schema of byte pair encoding. Subword prefixes and suffixes are missing or empty, which is the same. */
export const bpeSchema = z.strictObject({
  type: z.literal('BPE'),
  dropout: z.null().optional(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.literal('').nullish(),
  end_of_word_suffix: z.literal('').nullish(),
  fuse_unk: z.boolean().default(false),
  byte_fallback: z.boolean().default(false),
  ignore_merges: z.boolean().default(false),
  vocab: vocabularySchema,
  merges: mergesSchema,
});

export type BpeDescription = z.infer<typeof bpeSchema>;

const scoredVocabularySchema = z.custom<readonly (readonly [token: string, score: number])[]>(
  (value) =>
    Array.isArray(value) &&
    value.every(
      (entry) =>
        Array.isArray(entry) &&
        entry.length === 2 &&
        typeof entry[0] === 'string' &&
        typeof entry[1] === 'number' &&
        Number.isFinite(entry[1]),
    ),
  { error: 'expected tokens with their scores' },
);

/**
 * The schema of a Unigram model: tokens with scores, in the order of their ids. Without an `unk_id` Python fails at the first character that has no
 * token.
 */
export const unigramSchema = z.strictObject({
  type: z.literal('Unigram'),
  unk_id: z.int().nonnegative(),
  vocab: scoredVocabularySchema,
  byte_fallback: z.boolean().default(false),
});

export type UnigramDescription = z.infer<typeof unigramSchema>;
