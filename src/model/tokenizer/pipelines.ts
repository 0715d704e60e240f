/**
 * The pipelines that this program runs itself: each has been compared with Python's tokenizers on hard strings, as a whole, in both
 * directions (test/model/tokenizer-pipelines.test.ts and tokenizer-unigram.test.ts). A tokenizer that is wrong shows nowhere but in the numbers, so everything else is
 * refused.
 */
import { z } from 'zod';
import { bpeSchema, type Description, type Part, unigramSchema } from './description.js';
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

/** The form of a ByteLevel part. `trim_offsets` concerns offsets alone, which nothing here asks for. */
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

/** Gemma's pipeline: characters with a mark for spaces, and bytes for what the vocabulary lacks. */
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

/** The pipeline of GPT-2 and BART: bytes as visible characters. */
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

const precompiledSchema = z.strictObject({ type: z.literal('Precompiled'), precompiled_charsmap: z.string() });
const stripSchema = z.strictObject({ type: z.literal('Strip'), strip_left: z.boolean(), strip_right: z.boolean() });
const joinSpacesSchema = z.strictObject({
  type: z.literal('Replace'),
  pattern: z.strictObject({ Regex: z.literal(' {2,}') }),
  content: z.literal('▁'),
});

/** The form of a Metaspace part. Older files have `add_prefix_space`, which Python checks against the scheme; `str_rep` repeats the replacement. */
const metaspace = {
  type: z.literal('Metaspace'),
  replacement: z.literal('▁'),
  str_rep: z.string().optional(),
  add_prefix_space: z.boolean().optional(),
  prepend_scheme: z.enum(['always', 'first', 'never']).default('always'),
};
interface Scheme {
  readonly add_prefix_space?: boolean | undefined;
  readonly prepend_scheme: string;
}
const agrees = ({ add_prefix_space, prepend_scheme }: Scheme) =>
  add_prefix_space !== false || prepend_scheme === 'never';
const metaspaceSchema = z.strictObject({ ...metaspace, split: z.literal(true).default(true) }).refine(agrees);
const metaspaceDecoderSchema = z.strictObject({ ...metaspace, split: z.boolean().default(true) }).refine(agrees);

/** The pipeline of T5 and mT5: a character map, and words with a mark for the space before them. */
const unigramPipelineSchema = z.object({
  normalizer: z
    .union([
      precompiledSchema,
      z.strictObject({
        type: z.literal('Sequence'),
        normalizers: z.union([
          z.tuple([precompiledSchema]),
          z.tuple([precompiledSchema, stripSchema, joinSpacesSchema]),
        ]),
      }),
    ])
    .nullable(),
  pre_tokenizer: z.union([
    metaspaceSchema,
    z.strictObject({
      type: z.literal('Sequence'),
      pretokenizers: z.tuple([
        z.strictObject({ type: z.literal('WhitespaceSplit') }),
        // Which word is the first depends there on what the character map has made of the text before it.
        metaspaceSchema.refine(({ prepend_scheme }) => prepend_scheme !== 'first'),
      ]),
    }),
  ]),
  model: unigramSchema,
  post_processor: templateSchema.nullable(),
  decoder: metaspaceDecoderSchema,
});

export type ByteFallbackPipeline = z.infer<typeof byteFallbackSchema>;
export type ByteLevelPipeline = z.infer<typeof byteLevelPipelineSchema>;
export type UnigramPipeline = z.infer<typeof unigramPipelineSchema>;
export type ProvenPipeline =
  | ({ readonly kind: 'byte-fallback' } & ByteFallbackPipeline)
  | ({ readonly kind: 'byte-level' } & ByteLevelPipeline)
  | ({ readonly kind: 'unigram' } & UnigramPipeline);

const KINDS = {
  'byte-fallback': byteFallbackSchema,
  'byte-level': byteLevelPipelineSchema,
  unigram: unigramPipelineSchema,
} as const;
const PARTS = ['normalizer', 'pre_tokenizer', 'model', 'post_processor', 'decoder'] as const;

/** The pipeline if it is one of the proven ones, else the name of the part that is not, compared with the kind that it comes closest to. */
export function provenPipeline(description: Description): ProvenPipeline | { readonly refused: string } {
  const unproven = description.added_tokens.find(({ single_word }) => single_word);
  if (unproven) return { refused: `the added token ${JSON.stringify(unproven.content)} with single_word` };
  let closest: readonly (typeof PARTS)[number][] | undefined;
  for (const [kind, schema] of Object.entries(KINDS)) {
    const parsed = schema.safeParse(description);
    if (parsed.success) {
      const pipeline = { kind, ...parsed.data } as ProvenPipeline;
      const unknown = pipeline.kind === 'unigram' ? unknownBeginning(pipeline, description) : undefined;
      return unknown === undefined ? pipeline : { refused: unknown };
    }
    const differing = PARTS.filter((part) => !schema.shape[part].safeParse(description[part]).success);
    if (!closest || differing.length < closest.length) closest = differing;
  }
  const part = closest![0]!;
  return { refused: `its ${part} ${nameOf(description[part])}` };
}

/** Tells whether the pre-tokenizer marks the first word alone while something between the text and its words moves beginnings. */
function unknownBeginning({ normalizer, pre_tokenizer }: UnigramPipeline, { added_tokens }: Description) {
  if (pre_tokenizer.type !== 'Metaspace' || pre_tokenizer.prepend_scheme !== 'first') return undefined;
  const strips = normalizer?.type === 'Sequence' ? normalizer.normalizers[1] : undefined;
  if (strips?.strip_left) return `its pre_tokenizer ${nameOf(pre_tokenizer)} behind ${nameOf(strips)}`;
  const moving = added_tokens.find(({ normalized }) => normalized);
  if (!moving) return undefined;
  return `its pre_tokenizer ${nameOf(pre_tokenizer)} beside the added token ${JSON.stringify(moving.content)}, which is normalized,`;
}

/**
 * Tells whether the model draws tokens. With dropout a text has other tokens at every call, in Python too, so that nothing computed from it could
 * be repeated.
 */
export function drawsTokens({ model }: Description): boolean {
  return typeof model.dropout === 'number' && model.dropout !== 0;
}

/** The name of a part, with its parts and its settings unless these are long. */
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
