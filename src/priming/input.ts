/**
 * From texts to what the encoder reads and what the decoder may see of it.
 *
 * Two ways of tokenising exist. *Joint*: prefix, line break and document as one string, the research's way; how many leading tokens
 * belong to the prefix follows from a count. *Segments*: prefix, line break and document tokenised apart and joined, so
 * that every span is known and the document's ids are the same whatever stands before it. Around both stands the tokenizer's frame: BOS in front
 * for some families, an end of text behind for others; and there are tokenizers that make no token of a line break.
 *
 * A visibility says which rows the decoder sees. The named ones carry their tokenisation with them:
 * - `full`       joint; everything.
 * - `published`  joint; all but the first c tokens, c = tokens(prefix newline document) - tokens(document), both framed. With BOS and
 *                a token for the line break that hides BOS and the prefix and leaves the line break visible; with neither it hides the prefix. Without a
 *                prefix c = 0 and nothing is hidden. An end of text stays visible.
 * - `exact`      segments; the document alone, with a prefix or without.
 * - a list       segments; the rows of these segments.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';

export const SEGMENTS = ['bos', 'prefix', 'separator', 'document', 'eos'] as const;
export type Segment = (typeof SEGMENTS)[number];

export type Tokenisation = 'joint' | 'segments';

export const visibilitySchema = z.union([z.enum(['full', 'published', 'exact']), z.array(z.enum(SEGMENTS))], {
  error: `expected "full", "published", "exact" or a list of ${SEGMENTS.map((segment) => `"${segment}"`).join(', ')}`,
});
export type Visibility = z.infer<typeof visibilitySchema>;

/** The text between prefix and document. */
const SEPARATOR = '\n';

/** The rows from `start` up to, but not including, `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface EncoderInput {
  readonly tokenisation: Tokenisation;
  /** The token ids of the rows, [rows], in the tokenizer's frame. */
  readonly tokenIds: Int32Array;
  /** The rows of each segment that is present. An input whose prefix and document were tokenised jointly has no spans, only its count. */
  readonly spans: Readonly<Partial<Record<Segment, Range>>>;
  /** The count c of the published mask: the number of leading rows that it hides. It is 0 without a prefix. */
  readonly publishedCount: number;
  readonly prefixTokens: number;
  /** The number of the document's tokens, after cutting. */
  readonly documentTokens: number;
  /** The number of tokens cut off the document's end to keep to the limit. Of a far longer document only the part that was tokenised is counted. */
  readonly cutTokens: number;
}

export interface InputTexts {
  readonly document: string;
  /** The text before the document. Without it the document stands alone in its frame. */
  readonly prefix?: string;
}

export interface InputLimits {
  /** The largest number of rows that the encoder may read. The document is cut at its end to keep to it. */
  readonly maxTokens: number;
  /** The largest number of document tokens to keep, so that all conditions of a sample can keep the same ones. */
  readonly maxDocumentTokens?: number;
}

export function tokenisationOf(visibility: Visibility): Tokenisation {
  return visibility === 'full' || visibility === 'published' ? 'joint' : 'segments';
}

/** The segments that inputs of a tokenizer have when there is a prefix. */
export function segmentsOf(tokenizer: Pick<Tokenizer, 'frame' | 'encode'>): ReadonlySet<Segment> {
  const { before, after } = tokenizer.frame;
  return new Set<Segment>([
    'prefix',
    'document',
    ...(before.length > 0 ? (['bos'] as const) : []),
    ...(tokenizer.encode(SEPARATOR).length > 0 ? (['separator'] as const) : []),
    ...(after.length > 0 ? (['eos'] as const) : []),
  ]);
}

/** @throws DkvError INPUT_INVALID for a list of segments with one that inputs of this tokenizer never have */
export function expectSegments(tokenizer: Pick<Tokenizer, 'frame' | 'encode'>, visibility: Visibility): void {
  if (typeof visibility === 'string') return;
  const known = segmentsOf(tokenizer);
  const absent = visibility.find((segment) => !known.has(segment));
  if (absent === undefined) return;
  throw new DkvError(
    'INPUT_INVALID',
    `visibility names "${absent}", which inputs of this model do not have; they have ${SEGMENTS.filter((segment) => known.has(segment)).join(', ')}.`,
  );
}

/** @throws DkvError INPUT_TOO_LONG when the prefix leaves no room for any document token */
export function buildInput(
  tokenizer: Tokenizer,
  texts: InputTexts,
  tokenisation: Tokenisation,
  limits: InputLimits,
): EncoderInput {
  // One token more, so that what is cut is seen.
  const document = tokenizer.head(texts.document, limits.maxTokens + 1);
  const build = tokenisation === 'joint' ? jointInput : segmentedInput;
  return build(tokenizer, { ...texts, document }, limits);
}

function jointInput(tokenizer: Tokenizer, { document, prefix }: InputTexts, limits: InputLimits): EncoderInput {
  const { before, after } = tokenizer.frame;
  const bare = tokenizer.encodeFramed(document);
  const whole = prefix === undefined ? bare : tokenizer.encodeFramed(prefix + SEPARATOR + document);
  // The document is cut, never the count: both lengths are taken before cutting.
  const count = Math.max(0, whole.length - bare.length);
  const documentTokens = bare.length - before.length - after.length;
  const kept = keptTokens(documentTokens, whole.length - documentTokens, limits);
  const cutTokens = documentTokens - kept;
  return {
    tokenisation: 'joint',
    tokenIds: withoutRows(whole, whole.length - after.length - cutTokens, whole.length - after.length),
    spans: {},
    publishedCount: count,
    prefixTokens: count === 0 ? 0 : Math.max(0, count - tokenizer.encode(SEPARATOR).length),
    documentTokens: kept,
    cutTokens,
  };
}

/** Cuts the document at its end, before what the frame puts behind it. */
function withoutRows(ids: Int32Array, start: number, end: number): Int32Array {
  if (end === ids.length) return ids.subarray(0, start);
  return Int32Array.from([...ids.subarray(0, start), ...ids.subarray(end)]);
}

function segmentedInput(tokenizer: Tokenizer, { document, prefix }: InputTexts, limits: InputLimits): EncoderInput {
  const { before, after } = tokenizer.frame;
  const separator = prefix === undefined ? new Int32Array(0) : tokenizer.encode(SEPARATOR);
  const leading: [Segment, ArrayLike<number>][] = [];
  if (before.length > 0) leading.push(['bos', before]);
  if (prefix !== undefined) leading.push(['prefix', tokenizer.encode(prefix)]);
  if (separator.length > 0) leading.push(['separator', separator]);
  const overhead = leading.reduce((sum, [, ids]) => sum + ids.length, after.length);
  const ids = tokenizer.encode(document);
  const kept = keptTokens(ids.length, overhead, limits);
  const parts: [Segment, ArrayLike<number>][] = [...leading, ['document', ids.subarray(0, kept)]];
  if (after.length > 0) parts.push(['eos', after]);
  const tokenIds = new Int32Array(overhead + kept);
  const spans: Partial<Record<Segment, Range>> = {};
  let at = 0;
  for (const [segment, part] of parts) {
    tokenIds.set(part, at);
    spans[segment] = { start: at, end: at + part.length };
    at += part.length;
  }
  const prefixTokens = spans.prefix ? spans.prefix.end - spans.prefix.start : 0;
  return {
    tokenisation: 'segments',
    tokenIds,
    spans,
    publishedCount: prefixTokens + separator.length,
    prefixTokens,
    documentTokens: kept,
    cutTokens: ids.length - kept,
  };
}

function keptTokens(documentTokens: number, overhead: number, { maxTokens, maxDocumentTokens }: InputLimits): number {
  const room = maxTokens - overhead;
  if (room < 1 && documentTokens > 0) {
    throw new DkvError(
      'INPUT_TOO_LONG',
      `Prefix and special tokens take ${overhead} tokens of the ${maxTokens} allowed and leave none for the document. Shorten the prefix or raise the maximum length.`,
    );
  }
  return Math.min(documentTokens, room, maxDocumentTokens ?? documentTokens);
}

/** The rows that a visibility shows of an input. The input must have been made with that visibility's tokenisation. */
export function visibleRanges(input: EncoderInput, visibility: Visibility): Range[] {
  if (input.tokenisation !== tokenisationOf(visibility)) {
    throw new Error(
      `visibility ${visibility} needs ${tokenisationOf(visibility)} tokenisation, got ${input.tokenisation}`,
    );
  }
  const rows = input.tokenIds.length;
  if (visibility === 'full') return [{ start: 0, end: rows }];
  if (visibility === 'published') return [{ start: input.publishedCount, end: rows }];
  const segments = visibility === 'exact' ? ['document' as const] : visibility;
  return SEGMENTS.filter((segment) => segments.includes(segment)).flatMap((segment) => input.spans[segment] ?? []);
}
