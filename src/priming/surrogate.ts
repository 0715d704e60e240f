/**
 * Surrogates: texts that stand for a query that is not known when a document is encoded. One registry (`families.ts`), used by
 * experiments and by priming.
 *
 * A surrogate is named by a specification: a family with what it takes (`doc_kw`, `kw10`, `static:What are the key facts?`,
 * `llm:need`), or `scramble(...)` around a specification for its words in random order, each with `*times` behind it if it is to be
 * repeated: `oracle*4`, `scramble(llm:need)*4`, `static:the*query` (as often as the query has words).
 *
 * Texts are made without waiting. What has to be waited for is made beforehand: see `prepare.ts`.
 */
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { didYouMean } from '../base/near.js';
import type { Sample } from '../samples/sample.js';
import {
  FAMILIES,
  type Preparation,
  queryWords,
  repeated,
  type SurrogateContext,
  type SurrogateSource,
  scrambledWords,
} from './surrogate-kinds.js';

export type { SurrogateContext, SurrogateSource } from './surrogate-kinds.js';

export interface Surrogate {
  readonly about: string;
  /** A surrogate that needs the query cannot be made before it is asked: it is a bound, not a product. */
  readonly needsQuery: boolean;
  /** What its words come from: says which prefixes can contain a scored text. */
  readonly source: SurrogateSource;
  /** What `make` expects in its context's `prepared`. */
  readonly preparation?: Preparation;
  /** @throws DkvError when this sample cannot have it, with the reason */
  make(sample: Sample, context: SurrogateContext): string;
}

const FORM = /^(?<head>.*?)(?:\*(?<times>[1-9]\d*|query))?$/s;
const SCRAMBLE = /^scramble\((?<inner>.*)\)$/s;

/** How often a text may be repeated, and how many words a family may be asked for. */
const MOST = 10_000;
/** How deep `scramble(...)` may be nested. */
const DEEPEST = 4;

/** @throws DkvError INPUT_INVALID naming the families there are, or what asks for too much */
export function surrogate(specification: string): Surrogate {
  return nested(specification, 0);
}

function nested(specification: string, depth: number): Surrogate {
  const { head = '', times } = FORM.exec(specification)!.groups!;
  const inner = SCRAMBLE.exec(head)?.groups?.inner;
  if (depth > DEEPEST) throw tooMuch(specification, `scramble(...) may be nested ${DEEPEST} times`);
  const plain = inner === undefined ? familySurrogate(head, specification) : scrambled(nested(inner, depth + 1));
  if (times === undefined) return plain;
  if (times !== 'query') expectAffordable(times, specification);
  const { about, needsQuery, make } = plain;
  return {
    ...plain,
    about: `${about}, ${times === 'query' ? 'as often as the query has words' : `${times} times`}`,
    needsQuery: needsQuery || times === 'query',
    make: (sample, context) => repeated(make(sample, context), times === 'query' ? queryWords(sample) : Number(times)),
  };
}

function scrambled(plain: Surrogate): Surrogate {
  return {
    ...plain,
    about: `${plain.about}, words in random order`,
    make: (sample, context) => scrambledWords(plain.make(sample, context), context),
  };
}

function expectAffordable(number: string, specification: string, most = MOST): void {
  if (Number(number) > most) throw tooMuch(specification, `the number in it may be up to ${most}`);
}

function tooMuch(specification: string, limit: string): DkvError {
  const shown = specification.length > 80 ? `${specification.slice(0, 80)}...` : specification;
  return new DkvError('INPUT_INVALID', `The surrogate "${shown}" asks for too much: ${limit}.`);
}

const PARAMETER = { none: /^$/, number: /^[1-9]\d*$/, text: /./s };

function familySurrogate(head: string, specification: string): Surrogate {
  for (const [name, { about, source, needsQuery, preparation, most, ...family }] of Object.entries(FAMILIES)) {
    const parameter = head.slice(name.length);
    if (!head.startsWith(name) || !PARAMETER[family.parameter].test(parameter)) continue;
    if (family.parameter === 'number') expectAffordable(parameter, specification, most);
    expectNoPlaceholder(name, parameter);
    return {
      about: about.replace('#', () => parameter),
      source,
      needsQuery,
      ...(preparation && { preparation: preparation(parameter) }),
      make: (sample, context) => family.make(sample, context, parameter),
    };
  }
  throw new DkvError(
    'INPUT_INVALID',
    `There is no surrogate "${specification}".${didYouMean(head.replace(/\d+$/, ''), Object.keys(FAMILIES))} Expected ${surrogateForms().join(', ')}, or scramble(SURROGATE), each with *N or *query behind it if it is to be repeated.`,
  );
}

/** Whoever writes "{title}" expects a title there, and would prime with the braces. */
function expectNoPlaceholder(name: string, parameter: string): void {
  if (name === 'static:') {
    const [placeholder] = /\{[^{}]*\}/.exec(parameter) ?? [];
    if (placeholder === undefined) return;
    throw new DkvError(
      'INPUT_INVALID',
      `"static:${parameter}": ${placeholder} would stand in front of every document as it is; static texts have no placeholders. Take title, template, doc_kw or another surrogate that is made from the document, or llm:prompt=TEXT.`,
    );
  }
  // A prompt may ask for an answer with braces, but nothing is put in the place of a name in them.
  const [placeholder] = /\{\{?\s*\w+\s*\}?\}/.exec(parameter) ?? [];
  if (placeholder === undefined) return;
  throw new DkvError(
    'INPUT_INVALID',
    `"${name}${parameter}": prompts have no placeholders, and ${placeholder} would be sent as it is. Leave it out: the document is put behind the prompt.`,
  );
}

/** How each family is written. */
export function surrogateForms(): string[] {
  const behind = { none: '', number: 'N', text: 'TEXT' };
  return Object.entries(FAMILIES).map(([name, { parameter }]) => `${name}${behind[parameter]}`);
}

export const surrogateSchema = z.string().superRefine((specification, context) => {
  try {
    surrogate(specification);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
