/**
 * Surrogates: texts that stand for a query that is not known when a document is encoded. One registry, used by experiments and by
 * priming. Rules after the research's protocol.
 *
 * A surrogate is named by a specification, `name`, `name:text` or either with `*times` behind it:
 * `doc_kw`, `kw10`, `random20`, `static:What are the key facts?`, `oracle*4`, `static:the*query` (as often as the query has words).
 */
import { z } from 'zod';
import type { Sample } from '../datasets/sample.js';
import { DkvError, messageOf } from '../errors.js';
import { NumpyRandomState } from '../numpy-random.js';
import { keywords, splitWords, topKeywords } from './keywords.js';

/** Where a sample stands, for surrogates that take words from other samples or draw at random. */
export interface SurrogateContext {
  readonly index: number;
  readonly samples: readonly Sample[];
  readonly seed: number;
}

export interface Surrogate {
  readonly about: string;
  /** A surrogate that needs the query cannot be made before it is asked: it is a bound, not a product. */
  readonly needsQuery: boolean;
  make(sample: Sample, context: SurrogateContext): string;
}

interface Family extends Omit<Surrogate, 'make' | 'about'> {
  /** `name` alone, `name` with a number behind it, or `name:text`. */
  readonly parameter: 'none' | 'number' | 'text';
  readonly about: string;
  readonly make: (sample: Sample, context: SurrogateContext, parameter: string) => string;
}

/** The sample that another one borrows from: the one half the list further on. */
function partnerOf({ index, samples }: SurrogateContext): Sample {
  return samples[(index + Math.floor(samples.length / 2)) % samples.length]!;
}

function firstWords(text: string, count: number): string {
  return splitWords(text).slice(0, count).join(' ');
}

const queryWords = ({ query }: Sample): number => splitWords(query).length;

const LEAD_WORDS = 25;

const FAMILIES: Readonly<Record<string, Family>> = {
  oracle: {
    about: 'the real query, the upper bound',
    parameter: 'none',
    needsQuery: true,
    make: ({ query }) => query,
  },
  para: {
    about: "the query's keywords, reversed",
    parameter: 'none',
    needsQuery: true,
    make: ({ query }) => keywords(query).reverse().join(' ') || query,
  },
  scrambled: {
    about: "the query's words in random order",
    parameter: 'none',
    needsQuery: true,
    make: ({ query }, { index, seed }) => new NumpyRandomState(seed + index).shuffle(splitWords(query)).join(' '),
  },
  doc_kw: {
    about: "the document's five most frequent keywords",
    parameter: 'none',
    needsQuery: false,
    make: ({ document }) => topKeywords(document, 5).join(' ') || 'information',
  },
  kw: {
    about: "the document's # most frequent keywords",
    parameter: 'number',
    needsQuery: false,
    make: ({ document }, _, count) => topKeywords(document, Number(count)).join(' ') || 'information',
  },
  template: {
    about: 'a question about the most frequent keyword',
    parameter: 'none',
    needsQuery: false,
    make: ({ document }) => {
      const [top] = topKeywords(document, 1);
      return top === undefined ? 'What is this about?' : `What is ${top}?`;
    },
  },
  lead: {
    about: "the document's first sentence, 25 words at most",
    parameter: 'none',
    needsQuery: false,
    make: ({ document }) => firstWords(document.trim().split(/(?<=[.!?])\s+/u)[0]!, LEAD_WORDS),
  },
  static: {
    about: 'the same text for every document: "#"',
    parameter: 'text',
    needsQuery: false,
    make: (_sample, _context, text) => text,
  },
  random: {
    about: "another document's first # words",
    parameter: 'number',
    needsQuery: false,
    make: (_, context, count) => firstWords(partnerOf(context).document, Number(count)),
  },
  random_matched: {
    about: "another document's first words, as many as the query has",
    parameter: 'none',
    needsQuery: true,
    make: (sample, context) => firstWords(partnerOf(context).document, queryWords(sample)),
  },
};

const FORM = /^(?<head>.*?)(?:\*(?<times>[1-9]\d*|query))?$/s;

/** @throws DkvError INPUT_INVALID naming the families there are */
export function surrogate(specification: string): Surrogate {
  const { head = '', times } = FORM.exec(specification)!.groups!;
  const { about, needsQuery, make } = plainSurrogate(head, specification);
  if (times === undefined) return { about, needsQuery, make };
  return {
    about: `${about}, ${times === 'query' ? 'as often as the query has words' : `${times} times`}`,
    needsQuery: needsQuery || times === 'query',
    make: (sample, context) => {
      const count = times === 'query' ? queryWords(sample) : Number(times);
      return Array<string>(count).fill(make(sample, context)).join(' ');
    },
  };
}

function plainSurrogate(head: string, specification: string): Surrogate {
  const colon = head.indexOf(':');
  const [, word, number] = /^(.*?)(\d*)$/s.exec(colon < 0 ? head : head.slice(0, colon))!;
  const [name, parameter, kind] =
    colon >= 0
      ? [head.slice(0, colon), head.slice(colon + 1), 'text']
      : number !== ''
        ? [word!, number!, 'number']
        : [head, '', 'none'];
  const family = Object.hasOwn(FAMILIES, name) ? FAMILIES[name] : undefined;
  const needsParameter = family?.parameter !== 'none';
  if (!family || family.parameter !== kind || (needsParameter && (parameter === '' || parameter === '0'))) {
    throw new DkvError(
      'INPUT_INVALID',
      `There is no surrogate "${specification}"; expected ${surrogateForms().join(', ')}, each with *N or *query behind it if it is to be repeated.`,
    );
  }
  return {
    about: family.about.replace('#', parameter),
    needsQuery: family.needsQuery,
    make: (sample, context) => family.make(sample, context, parameter),
  };
}

/** How each surrogate is written. */
export function surrogateForms(): string[] {
  const behind = { none: '', number: 'N', text: ':TEXT' };
  return Object.entries(FAMILIES).map(([name, { parameter }]) => `${name}${behind[parameter]}`);
}

export const surrogateSchema = z.string().superRefine((specification, context) => {
  try {
    surrogate(specification);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
