/**
 * From texts to what the encoder reads and what the decoder may see of it.
 *
 * Two ways of tokenising exist. *Joint*: prefix, line break and document as one string, the research's way; how many leading tokens
 * belong to the prefix follows from a count. *Segments*: BOS, prefix, line break and document tokenised apart and joined, so
 * that every span is known and the document's ids are the same whatever stands before it.
 *
 * A visibility says which rows the decoder sees. The named ones carry their tokenisation with them:
 * - `full`       joint; everything.
 * - `published`  joint; all but the first c tokens, c = tokens(prefix newline document) - tokens(document), both with BOS. That
 *                hides BOS and the prefix and leaves the line break visible. Without a prefix c = 0 and nothing is hidden.
 * - `exact`      segments; the document alone, with a prefix or without.
 * - a list       segments; the rows of these segments.
 */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';

export const SEGMENTS = ['bos', 'prefix', 'separator', 'document'] as const;
export type Segment = (typeof SEGMENTS)[number];

export type Tokenisation = 'joint' | 'segments';

export const visibilitySchema = z.union([z.enum(['full', 'published', 'exact']), z.array(z.enum(SEGMENTS))], {
  error: `expected "full", "published", "exact" or a list of ${SEGMENTS.map((segment) => `"${segment}"`).join(', ')}`,
});
export type Visibility = z.infer<typeof visibilitySchema>;

/** What stands between prefix and document. */
const SEPARATOR = '\n';

/** Rows `start` to `end` (excluded). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface EncoderInput {
  readonly tokenisation: Tokenisation;
  /** [rows], BOS first. */
  readonly tokenIds: Int32Array;
  /** Rows of each segment that is present; a joint input knows no spans, only its count. */
  readonly spans: Readonly<Partial<Record<Segment, Range>>>;
  /** The count c of the published mask: leading rows that it hides. 0 without a prefix. */
  readonly publishedCount: number;
  readonly prefixTokens: number;
  /** Of the document, after cutting. */
  readonly documentTokens: number;
  /** Taken off the document's end to keep the limit; of a document that is far longer, of the part that was tokenised. */
  readonly cutTokens: number;
}

export interface InputTexts {
  readonly document: string;
  /** Without it the document stands alone after BOS. */
  readonly prefix?: string;
}

export interface InputLimits {
  /** Rows that the encoder may read; the document is cut at its end to keep to it. */
  readonly maxTokens: number;
  /** Document tokens to keep at most, so that all conditions of a sample can keep the same ones. */
  readonly maxDocumentTokens?: number;
}

export function tokenisationOf(visibility: Visibility): Tokenisation {
  return visibility === 'full' || visibility === 'published' ? 'joint' : 'segments';
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
  const bare = tokenizer.encodeFramed(document);
  const whole = prefix === undefined ? bare : tokenizer.encodeFramed(prefix + SEPARATOR + document);
  // The document is cut, never the count: both lengths are taken before cutting.
  const count = Math.max(0, whole.length - bare.length);
  const documentTokens = bare.length - 1;
  const kept = keptTokens(documentTokens, whole.length - documentTokens, limits);
  const cutTokens = documentTokens - kept;
  return {
    tokenisation: 'joint',
    tokenIds: whole.subarray(0, whole.length - cutTokens),
    spans: {},
    publishedCount: count,
    prefixTokens: Math.max(0, count - 1),
    documentTokens: kept,
    cutTokens,
  };
}

function segmentedInput(tokenizer: Tokenizer, { document, prefix }: InputTexts, limits: InputLimits): EncoderInput {
  const parts: [Segment, Int32Array][] = [['bos', tokenizer.encodeFramed('')]];
  if (prefix !== undefined) {
    parts.push(['prefix', tokenizer.encode(prefix)], ['separator', tokenizer.encode(SEPARATOR)]);
  }
  const before = parts.reduce((sum, [, ids]) => sum + ids.length, 0);
  const ids = tokenizer.encode(document);
  const kept = keptTokens(ids.length, before, limits);
  parts.push(['document', ids.subarray(0, kept)]);
  const tokenIds = new Int32Array(before + kept);
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
    publishedCount: prefix === undefined ? 0 : 1 + prefixTokens,
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

/** The rows that a visibility shows of an input that was made with its tokenisation. */
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
