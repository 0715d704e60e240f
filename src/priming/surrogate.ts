/**
 * Surrogates: texts that stand for a query that is not known when a document is encoded. One registry, used by experiments and by
 * priming. Rules after the research's protocol.
 */
import { z } from 'zod';
import type { Sample } from '../datasets/sample.js';
import { keywords, topKeywords } from './keywords.js';

export interface Surrogate {
  readonly about: string;
  /** A surrogate that needs the query cannot be made before it is asked: it is a bound, not a product. */
  readonly needsQuery: boolean;
  make(sample: Sample): string;
}

export const SURROGATES = {
  oracle: {
    about: 'the real query, the upper bound',
    needsQuery: true,
    make: ({ query }) => query,
  },
  para: {
    about: "the query's keywords, reversed",
    needsQuery: true,
    make: ({ query }) => keywords(query).reverse().join(' ') || query,
  },
  doc_kw: {
    about: "the document's five most frequent keywords",
    needsQuery: false,
    make: ({ document }) => topKeywords(document, 5).join(' ') || 'information',
  },
} as const satisfies Record<string, Surrogate>;

export type SurrogateName = keyof typeof SURROGATES;

export const surrogateNameSchema = z.enum(Object.keys(SURROGATES) as SurrogateName[]);
