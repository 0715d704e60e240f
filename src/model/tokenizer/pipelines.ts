/**
 * The pipelines that this program runs itself: each has been compared with Python's tokenizers on 500 hard strings, as a whole, in both
 * directions (test/model/tokenizer-pipelines.test.ts). A tokenizer that is wrong shows nowhere but in the numbers, so everything else is
 * refused.
 */
import { z } from 'zod';
import { bpeSchema, type Description, type Part } from './description.js';
import { KNOWN_PATTERNS } from './patterns.js';
import { SPLIT_BEHAVIORS } from './split.js';

const splitSchema = z.strictObject({
  type: z.literal('Split'),
  pattern: z.union([
    z.strictObject({ String: z.string().min(1) }),
    z.strictObject({ Regex: z.enum(KNOWN_PATTERNS as [string]) }),
  ]),
  behavior: z.enum(SPLIT_BEHAVIORS),
  invert: z.boolean(),
});

/** `trim_offsets` concerns offsets alone, which nothing here asks for. */
const byteLevel = { type: z.literal('ByteLevel'), add_prefix_space: z.boolean(), trim_offsets: z.boolean() };
const byteLevelSchema = z.strictObject({ ...byteLevel, use_regex: z.literal(true).default(true) });

const specialSchema = z.strictObject({ id: z.string(), type_id: z.int() });
const pieceSchema = z.union([
  z.strictObject({ SpecialToken: specialSchema }),
  z.strictObject({ Sequence: z.strictObject({ id: z.literal('A'), type_id: z.int() }) }),
]);
const templateSchema = z.strictObject({
  type: z.literal('TemplateProcessing'),
  single: z.array(pieceSchema).refine((pieces) => pieces.filter((piece) => 'Sequence' in piece).length === 1),
  pair: z.unknown(),
  special_tokens: z.record(
    z.string(),
    z.strictObject({ id: z.string(), ids: z.array(z.int().nonnegative()), tokens: z.array(z.string()) }),
  ),
});
const tokenSchema = z.tuple([z.string(), z.int().nonnegative()]);
const byteLevelProcessorSchema = z.strictObject({ ...byteLevel, use_regex: z.boolean().default(true) });

const replaceBack = {
  type: z.literal('Replace'),
  pattern: z.strictObject({ String: z.literal('▁') }),
  content: z.literal(' '),
};

const BYTE_TOKENS = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);

/** Gemma's: characters with a mark for spaces, and bytes for what the vocabulary lacks. */
const byteFallbackSchema = z.object({
  normalizer: z.strictObject({
    type: z.literal('Replace'),
    pattern: z.strictObject({ String: z.literal(' ') }),
    content: z.literal('▁'),
  }),
  pre_tokenizer: splitSchema.nullable(),
  model: bpeSchema
    .extend({ unk_token: z.string(), byte_fallback: z.literal(true) })
    // Where every byte has a token nothing is unknown, and how unknown text is joined means nothing.
    .refine(({ fuse_unk, vocab }) => fuse_unk || BYTE_TOKENS.every((token) => Object.hasOwn(vocab, token))),
  post_processor: templateSchema,
  decoder: z.strictObject({
    type: z.literal('Sequence'),
    decoders: z.tuple([
      z.strictObject(replaceBack),
      z.strictObject({ type: z.literal('ByteFallback') }),
      z.strictObject({ type: z.literal('Fuse') }),
    ]),
  }),
});

/** GPT-2's and BART's: bytes as visible characters. */
const byteLevelPipelineSchema = z.object({
  normalizer: z.null(),
  pre_tokenizer: z.union([
    byteLevelSchema,
    z.strictObject({
      type: z.literal('Sequence'),
      pretokenizers: z.tuple([
        splitSchema,
        z.strictObject({ ...byteLevel, add_prefix_space: z.literal(false), use_regex: z.literal(false) }),
      ]),
    }),
  ]),
  model: bpeSchema.extend({
    byte_fallback: z.literal(false).default(false),
    fuse_unk: z.literal(false).default(false),
  }),
  post_processor: z
    .union([
      byteLevelProcessorSchema,
      templateSchema,
      z.strictObject({ type: z.literal('BertProcessing'), sep: tokenSchema, cls: tokenSchema }),
      z.strictObject({
        type: z.literal('RobertaProcessing'),
        sep: tokenSchema,
        cls: tokenSchema,
        trim_offsets: z.boolean(),
        add_prefix_space: z.boolean(),
      }),
      z.strictObject({ type: z.literal('Sequence'), processors: z.tuple([byteLevelProcessorSchema, templateSchema]) }),
    ])
    .nullable(),
  decoder: byteLevelProcessorSchema,
});

export type ByteFallbackPipeline = z.infer<typeof byteFallbackSchema>;
export type ByteLevelPipeline = z.infer<typeof byteLevelPipelineSchema>;
export type ProvenPipeline =
  | ({ readonly kind: 'byte-fallback' } & ByteFallbackPipeline)
  | ({ readonly kind: 'byte-level' } & ByteLevelPipeline);

const KINDS = { 'byte-fallback': byteFallbackSchema, 'byte-level': byteLevelPipelineSchema } as const;
const PARTS = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder'] as const;

/** The pipeline if it is one of the proven ones, else the part that is not, by name: of the kind that it comes closest to. */
export function provenPipeline(description: Description): ProvenPipeline | { readonly refused: string } {
  const unproven = description.added_tokens.find(({ single_word }) => single_word);
  if (unproven) return { refused: `the added token ${JSON.stringify(unproven.content)} with single_word` };
  let closest: readonly (typeof PARTS)[number][] | undefined;
  for (const [kind, schema] of Object.entries(KINDS)) {
    const parsed = schema.safeParse(description);
    if (parsed.success) return { kind, ...parsed.data } as ProvenPipeline;
    const differing = PARTS.filter((part) => !schema.shape[part].safeParse(description[part]).success);
    if (!closest || differing.length < closest.length) closest = differing;
  }
  const part = closest![0]!;
  return { refused: `its ${part} ${nameOf(description[part])}` };
}

/** With dropout a text has other tokens at every call, in Python too: nothing that is computed from it could be repeated. */
export function drawsTokens({ model }: Description): boolean {
  return typeof model.dropout === 'number' && model.dropout !== 0;
}

/** T5's character map, whose library would be needed. */
export function needsCharacterMap({ normalizer, model }: Description): boolean {
  return model.type === 'Unigram' || JSON.stringify(normalizer).includes('"Precompiled"');
}

/** What a part is, with what it is made of, and what it is told unless that is long. */
function nameOf(part: Part | null): string {
  if (part === null) return 'null';
  const { type, vocab: _, merges: __, ...options } = part;
  const parts = Object.values(options).find((value) => Array.isArray(value) && value.every((item) => item?.type));
  if (parts) return `${type} of ${(parts as Part[]).map(nameOf).join(', ')}`;
  const told = Object.entries(options)
    .map(([key, value]) => `${key} ${JSON.stringify(value)}`)
    .filter((text) => text.length < 100);
  return told.length > 0 ? `${type} (${told.join(', ')})` : type;
}
