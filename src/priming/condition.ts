/**
 * A condition, as data: how a document is presented to the decoder. What stands before it in the encoder, which rows the decoder
 * sees, and, for experiments on the mechanism, at which positions rows stand and which of them may see each other.
 */
import { z } from 'zod';
import { crc32 } from '../base/crc32.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';
import {
  buildInput,
  type EncoderInput,
  type InputLimits,
  type Range,
  SEGMENTS,
  type Segment,
  tokenisationOf,
  visibilitySchema,
  visibleRanges,
} from './input.js';
import { surrogateSchema } from './surrogate.js';

/** The parts of an input that a mask names: segments, or the two sides of the published count c, `counted` [0, c) and `rest`. */
const PARTS = [...SEGMENTS, 'counted', 'rest'] as const;
type Part = (typeof PARTS)[number];

/** What the decoder may read before the target. */
export const PROMPTS = ['none', 'query'] as const;

/** One pass of the encoder and what the decoder sees of it. */
export const encodingSchema = z.strictObject({
  surrogate: surrogateSchema.optional().describe('What stands before the document; nothing when left out.'),
  separator: z.literal(true).optional().describe('The line break stands before the document although no prefix does.'),
  bos: z.literal(false).optional().describe('False: without BOS.'),
  blocked: z
    .array(
      z.strictObject({
        rows: z.array(z.enum(PARTS)).describe('Rows that may not see.'),
        columns: z.array(z.enum(PARTS)).describe('Rows that they may not see.'),
      }),
    )
    .readonly()
    .optional()
    .describe('Rows that may not see columns in the encoder.'),
  positions: z
    .enum(['after_prefix', 'prefix_last', 'without_prefix'])
    .optional()
    .describe(
      'Where rows stand; 0, 1, 2, ... when left out. `after_prefix`: the document without its prefix, where it would stand behind it; `prefix_last`: the prefix at positions behind the document’s end; `without_prefix`: all but the prefix as if it were not there.',
    ),
  visibility: visibilitySchema.describe('Which rows the decoder sees: `full`, `published`, `exact`, or segments.'),
  hidden: z
    .literal('document_row')
    .optional()
    .describe(
      'One row of the document is not seen either: an arbitrary one, the same for all conditions of a document.',
    ),
});

export type Encoding = z.infer<typeof encodingSchema>;

export const conditionSchema = encodingSchema.extend({
  name: z.string().min(1).describe('The condition’s name, in tables and in a run’s journal.'),
  document: z
    .union([
      z.literal('none'),
      z.strictObject({ first_words: z.number().int().positive().describe('Number of words.') }),
      z.strictObject({ tokens: z.number().int().positive().describe('Number of tokens.') }),
    ])
    .optional()
    .describe(
      'The document’s first words only, the document made longer with others to so many tokens, or `none`: what stands around a text, without one.',
    ),
  prompt: z
    .enum(PROMPTS)
    .optional()
    .describe(
      'What the decoder reads before the target, where that is not what the experiment says: nothing, or the query.',
    ),
  before_target: z
    .enum(['space', 'line'])
    .optional()
    .describe(
      'What stands before the target in the decoder: `space`, a blank that is part of the scored text; `line`, a line break that is not scored. Nothing when left out.',
    ),
  also: z
    .array(encodingSchema)
    .readonly()
    .optional()
    .describe('Further passes over the same document whose visible rows the decoder sees together with these.'),
});

export type Condition = z.infer<typeof conditionSchema>;

/** One pass of the encoder as the engine takes it, with the rows that the decoder may see. */
export interface Presented {
  readonly input: EncoderInput;
  readonly item: { readonly tokenIds: Int32Array; readonly positions?: Int32Array; readonly pairMask?: Uint8Array };
  readonly visible: readonly Range[];
  /**
   * The text before the document, without its line break. It is empty where the line break stands there alone, and absent where nothing stands
   * there.
   */
  readonly prefix?: string;
  /** A key that is equal for passes that compute the same. */
  readonly key: string;
}

/** @throws DkvError INPUT_TOO_LONG */
export function present(
  tokenizer: Tokenizer,
  encoding: Encoding,
  document: string,
  prefix: string | undefined,
  limits: InputLimits,
): Presented {
  const tokenisation = tokenisationOf(encoding.visibility);
  const before = prefix ?? (encoding.separator ? '' : undefined);
  const whole = buildInput(
    tokenizer,
    before === undefined ? { document } : { document, prefix: before },
    tokenisation,
    limits,
  );
  const shifted = encoding.positions === 'after_prefix';
  const kept = { ...limits, maxDocumentTokens: whole.documentTokens };
  const built = shifted ? buildInput(tokenizer, { document }, tokenisation, kept) : whole;
  const input = encoding.bos === false ? withoutBos(built) : built;
  const positions = shifted
    ? Int32Array.from(input.tokenIds, (_, row) => whole.publishedCount + row)
    : positionsOf(input, encoding.positions);
  const pairMask = encoding.blocked && maskOf(input, encoding.blocked);
  return {
    input,
    item: { tokenIds: input.tokenIds, ...(positions && { positions }), ...(pairMask && { pairMask }) },
    visible: encoding.hidden
      ? withoutRow(visibleRanges(input, encoding.visibility), arbitraryRow(input))
      : visibleRanges(input, encoding.visibility),
    ...(before !== undefined && { prefix: before }),
    key: [input.tokenIds.join(), positions?.join() ?? '', pairMask ? JSON.stringify(encoding.blocked) : ''].join('|'),
  };
}

/** A row of the document by the CRC-32 of its ids, so that no place in documents is preferred. */
function arbitraryRow(input: EncoderInput): number {
  const { start, end } = rowsOf(input, 'document');
  const ids = input.tokenIds.slice(start, end);
  return start + (crc32(new Uint8Array(ids.buffer)) % Math.max(1, end - start));
}

function withoutRow(ranges: readonly Range[], row: number): Range[] {
  return ranges.flatMap(({ start, end }) =>
    row < start || row >= end
      ? [{ start, end }]
      : [
          { start, end: row },
          { start: row + 1, end },
        ].filter((part) => part.start < part.end),
  );
}

function withoutBos(input: EncoderInput): EncoderInput {
  const { bos, ...spans } = input.spans;
  if (!bos) throw new Error('an input without BOS needs segments, and a BOS to leave out');
  const moved = Object.entries(spans).map(([name, { start, end }]) => [
    name,
    { start: start - bos.end, end: end - bos.end },
  ]);
  return {
    ...input,
    tokenIds: input.tokenIds.subarray(bos.end),
    spans: Object.fromEntries(moved),
    publishedCount: Math.max(0, input.publishedCount - bos.end),
  };
}

function positionsOf(input: EncoderInput, kind: Encoding['positions']): Int32Array | undefined {
  if (kind === undefined) return undefined;
  const rows = input.tokenIds.length;
  if (kind === 'prefix_last') {
    const rest = rows - input.publishedCount;
    return Int32Array.from({ length: rows }, (_, row) => (row + rest) % rows);
  }
  const { start, end } = rowsOf(input, 'prefix');
  return Int32Array.from({ length: rows }, (_, row) => (row < end ? row : row - (end - start)));
}

function maskOf(input: EncoderInput, blocked: NonNullable<Encoding['blocked']>): Uint8Array {
  const size = input.tokenIds.length;
  const mask = new Uint8Array(size * size).fill(1);
  for (const { rows, columns } of blocked) {
    for (const row of rows.map((part) => rowsOf(input, part))) {
      for (const column of columns.map((part) => rowsOf(input, part))) {
        for (let r = row.start; r < row.end; r++) mask.fill(0, r * size + column.start, r * size + column.end);
      }
    }
  }
  return mask;
}

function rowsOf({ spans, tokenIds, publishedCount, tokenisation }: EncoderInput, part: Part): Range {
  if (part === 'counted') return { start: 0, end: publishedCount };
  if (part === 'rest') return { start: publishedCount, end: tokenIds.length };
  if (tokenisation === 'joint') throw new Error(`a joint input does not know its ${part}: use counted and rest`);
  return spans[part as Segment] ?? { start: 0, end: 0 };
}
