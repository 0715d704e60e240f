/**
 * Surrogates: texts that stand for a query that is not known when a document is encoded. One registry (`surrogate-kinds.ts`), used by
 * experiments and by priming.
 *
 * A surrogate is named by a specification: a family with what it takes (`doc_kw`, `kw10`, `static:What are the key facts?`,
 * `llm:need`, `column:need`), `scramble(...)` around a specification for its words in random order, `neutral(...)` around one for as many tokens without
 * content, or `join(..., ...)` around several for one text behind the other. Each may have `*times` behind it if it is to be repeated: `oracle*4`, `scramble(llm:need)*4`, `static:the*query` (as often
 * as the query has words).
 *
 * Texts are made without waiting. What has to be waited for is made beforehand: see `prepare.ts`.
 */
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { didYouMean } from '../base/near.js';
import type { Sample } from '../samples/sample.js';
import { functionNamed, partsOf, unescaped } from './surrogate-form.js';
import {
  FAMILIES,
  functionText,
  joinedText,
  neutralText,
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
  /** True for a surrogate that needs the query. It cannot be made before the query is asked, so it is a bound and not a product. */
  readonly needsQuery: boolean;
  /** The sources of its words, each once. They tell which prefixes can contain a scored text. Joined surrogates have several. */
  readonly sources: readonly SurrogateSource[];
  /** What `make` expects to find in its context's `prepared`; empty for most surrogates. */
  readonly preparations: readonly Preparation[];
  /** The columns that `make` expects in its sample's `columns`; empty for most surrogates. */
  readonly columns: readonly string[];
  /**
   * Makes the surrogate's text for a sample.
   * @throws DkvError with the reason, when this sample cannot have the surrogate
   */
  make(sample: Sample, context: SurrogateContext): string;
}

const FORM = /^(?<head>.*?)(?:\*(?<times>[1-9]\d*|query))?$/s;
const SCRAMBLE = /^scramble\((?<inner>.*)\)$/s;
const JOIN = 'join(';

/** Around a specification: a text without content of as many tokens. */
export const NEUTRAL = 'neutral';
const NEUTRAL_FORM = new RegExp(`^${NEUTRAL}\\((?<inner>.*)\\)$`, 's');

/** How often a text may be repeated, and how many words a family may be asked for. */
const MOST = 10_000;
/** How deep `scramble(...)` and `join(...)` may be nested. */
const DEEPEST = 4;

/** The place of a part of a specification in the whole. */
interface Place {
  readonly whole: string;
  readonly text: string;
  /** The place in characters from 0. */
  readonly at: number;
  readonly depth: number;
  /** True inside `join(...)`, where commas and parentheses of texts are escaped. */
  readonly joined: boolean;
}

/** @throws DkvError INPUT_INVALID naming the families there are, or what asks for too much, and where it stands */
export function surrogate(specification: string): Surrogate {
  return nested({ whole: specification, text: specification, at: 0, depth: 0, joined: false });
}

function nested(place: Place): Surrogate {
  const { head = '', times } = FORM.exec(place.text)!.groups!;
  if (place.depth > DEEPEST) throw tooMuch(place, `scramble(...) and join(...) may be nested ${DEEPEST} times`);
  const plain = plainSurrogate(head, place);
  if (times === undefined) return plain;
  if (times !== 'query') expectAffordable(times, place);
  const { about, needsQuery, make } = plain;
  return {
    ...plain,
    about: `${about}, ${times === 'query' ? 'as often as the query has words' : `${times} times`}`,
    needsQuery: needsQuery || times === 'query',
    make: (sample, context) => repeated(make(sample, context), times === 'query' ? queryWords(sample) : Number(times)),
  };
}

function plainSurrogate(head: string, place: Place): Surrogate {
  const inside = (text: string, at: number, joined = place.joined) =>
    nested({ ...place, text, at: place.at + at, depth: place.depth + 1, joined });
  if (head.startsWith(JOIN)) {
    const found = partsOf(head);
    if (found.parts) return joined(found.parts.map(({ text, at }) => inside(text, at, true)));
    throw invalid({ ...place, at: place.at + found.at }, `${found.problem}.`);
  }
  const control = NEUTRAL_FORM.exec(head)?.groups?.inner;
  if (control !== undefined) return neutral(inside(control, NEUTRAL.length + 1));
  const inner = SCRAMBLE.exec(head)?.groups?.inner;
  if (functionNamed(head)) return functionSurrogate(head);
  return inner === undefined ? familySurrogate(head, place) : scrambled(inside(inner, 'scramble('.length));
}

function scrambled(plain: Surrogate): Surrogate {
  return {
    ...plain,
    about: `${plain.about}, words in random order`,
    make: (sample, context) => scrambledWords(plain.make(sample, context), context),
  };
}

/** Makes a surrogate whose words say nothing, with as many tokens as the given one has. */
function neutral(plain: Surrogate): Surrogate {
  return {
    ...plain,
    about: `"the", repeated to as many tokens as this has: ${plain.about}`,
    sources: ['constant'],
    make: (sample, context) => neutralText(plain.make(sample, context), context),
  };
}

/** Joins texts with a blank between them, like repeated ones. An empty text adds nothing. */
function joined(parts: readonly Surrogate[]): Surrogate {
  const all = <T>(of: (part: Surrogate) => readonly T[]) => [...new Set(parts.flatMap(of))];
  return {
    about: parts.map(({ about }) => about).join(' + '),
    needsQuery: parts.some(({ needsQuery }) => needsQuery),
    sources: all(({ sources }) => sources),
    preparations: all(({ preparations }) => preparations),
    columns: all(({ columns }) => columns),
    make: (sample, context) => joinedText(parts.map((part) => part.make(sample, context))),
  };
}

function expectAffordable(number: string, place: Place, most = MOST): void {
  if (Number(number) > most) throw tooMuch(place, `the number in it may be up to ${most}`);
}

/** @param message whole sentences; of what is inside another, with its place in front */
function invalid({ whole, at, depth }: Place, message: string): DkvError {
  const where = depth === 0 && at === 0 ? '' : `${JSON.stringify(shortened(whole))}, character ${at + 1}: `;
  return new DkvError('INPUT_INVALID', where + message);
}

function tooMuch(place: Place, limit: string): DkvError {
  return invalid(place, `The surrogate "${shortened(place.text)}" asks for too much: ${limit}.`);
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}

/** The text that a function of the experiment's module gave. */
function functionSurrogate(specification: string): Surrogate {
  const { name, needsQuery } = functionNamed(specification)!;
  return {
    about: `the experiment's function "${name}"`,
    needsQuery,
    sources: ['function'],
    preparations: [],
    columns: [],
    make: ({ id }, { functionTexts }) => functionText(specification, id, functionTexts),
  };
}

/** A text inside a join ends at its first comma, which nobody expects. */
const COMMA_HINT = ' A comma in a text inside join(...) is written "\\,".';

const PARAMETER = { none: /^$/, number: /^[1-9]\d*$/, text: /./s, name: /./s };

function familySurrogate(head: string, place: Place): Surrogate {
  const text = place.joined ? unescaped(head) : head;
  for (const [name, { about, source, needsQuery, preparation, most, columns, ...family }] of Object.entries(FAMILIES)) {
    const parameter = text.slice(name.length);
    if (!text.startsWith(name) || !PARAMETER[family.parameter].test(parameter)) continue;
    if (family.parameter === 'number') expectAffordable(parameter, place, most);
    expectNoPlaceholder(name, parameter, place);
    return {
      about: about.replace('#', () => parameter),
      sources: [source],
      needsQuery,
      preparations: preparation ? [preparation(parameter)] : [],
      columns: columns?.(parameter) ?? [],
      make: (sample, context) => family.make(sample, context, parameter),
    };
  }
  throw invalid(
    place,
    `There is no surrogate "${text}".${didYouMean(text.replace(/\d+$/, ''), Object.keys(FAMILIES))} Expected ${surrogateForms().join(', ')}, scramble(SURROGATE), neutral(SURROGATE), or join(SURROGATE, SURROGATE), each with *N or *query behind it if it is to be repeated.${place.joined ? COMMA_HINT : ''}`,
  );
}

/** Refuses a text such as "{title}", whose author expects a title there and would prime with the braces. */
function expectNoPlaceholder(name: string, parameter: string, place: Place): void {
  if (name === 'static:') {
    const [placeholder] = /\{[^{}]*\}/.exec(parameter) ?? [];
    if (placeholder === undefined) return;
    throw invalid(
      place,
      `"static:${parameter}": ${placeholder} would stand in front of every document as it is; static texts have no placeholders. Take title, template, doc_kw, column:NAME or another surrogate that is made from the document, in join(...) with others if it is to stand among them, or llm:prompt=TEXT.`,
    );
  }
  if (name !== 'llm:prompt=') return;
  // A prompt may ask for an answer with braces, but nothing is put in the place of a name in them.
  const [placeholder] = /\{\{?\s*\w+\s*\}?\}/.exec(parameter) ?? [];
  if (placeholder === undefined) return;
  throw invalid(
    place,
    `"${name}${parameter}": prompts have no placeholders, and ${placeholder} would be sent as it is. Leave it out: the document is put behind the prompt.`,
  );
}

/** Lists how each family is written. */
export function surrogateForms(): string[] {
  const behind = { none: '', number: 'N', text: 'TEXT', name: 'NAME' };
  return Object.entries(FAMILIES).map(([name, { parameter }]) => `${name}${behind[parameter]}`);
}

export const surrogateSchema = z.string().superRefine((specification, context) => {
  try {
    surrogate(specification);
  } catch (error) {
    context.addIssue({ code: 'custom', message: messageOf(error) });
  }
});
