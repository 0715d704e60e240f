/**
 * Values from outside (files, options, what a server answers) taken by a schema. What does not fit is said in plain words: the field, what was expected
 * there and what was found. Knows no file and no format.
 */
import { isLosslessNumber } from 'lossless-json';
import type { z } from 'zod';
import { DkvError, type ErrorCode } from './errors.js';

/** The value in the schema's form, or in words why it has none. */
export type Parsed<T> =
  | { readonly success: true; readonly data: T }
  | {
      readonly success: false;
      /** One field after the other, without a stop: `tokens.2: expected a whole number, found 1.5`. */
      readonly problem: string;
      /** The path of the first wrong field. */
      readonly path: readonly PropertyKey[];
    };

/** The most problems that a message names when a value has more wrong fields. */
const MOST_PROBLEMS = 3;

export function tryParse<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  // What a schema says in its own words stays; a message of zod's own is left empty and worded below.
  const parsed = schema.safeParse(value, { error: () => '', reportInput: true });
  if (parsed.success) return parsed;
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue));
  const more = problems.length - MOST_PROBLEMS;
  const told = problems.slice(0, MOST_PROBLEMS).map(({ path, words }) => [path.map(String).join('.'), words]);
  const problem = told.map((parts) => parts.filter((part) => part !== '').join(': ')).join('; ');
  return { success: false, problem: problem + (more > 0 ? `; and ${more} more` : ''), path: problems[0]!.path };
}

/**
 * @param where what the value is, or the file that it stands in: the message's beginning
 * @param advice what to do, a sentence
 * @throws DkvError of the code: `where: field: expected this, found that. advice`
 */
export function parse<T>(schema: z.ZodType<T>, value: unknown, code: ErrorCode, where: string, advice = ''): T {
  const parsed = tryParse(schema, value);
  if (parsed.success) return parsed.data;
  throw new DkvError(code, `${where}: ${parsed.problem}.${advice && ` ${advice}`}`);
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

function problemsOf(issue: Issue, outer: Path = []): { readonly path: Path; readonly words: string }[] {
  const path = [...outer, ...issue.path];
  // Several forms were possible: what is said is what keeps the value from the form that it comes closest to.
  if (issue.code === 'invalid_union' && issue.message === '' && !issue.discriminator) {
    const deepest = (issues: readonly Issue[]) => Math.max(...issues.map((one) => one.path.length));
    const isInside = ({ code, path }: Issue) => path.length > 0 || code === 'unrecognized_keys';
    const near = issue.errors.filter((issues) => issues.some(isInside));
    const [closest] = near.toSorted((a, b) => a.length - b.length || deepest(b) - deepest(a));
    if (closest !== undefined) return closest.flatMap((one) => problemsOf(one, path));
  }
  // A schema's own words may be a sentence with its stop, and the message that they stand in has one.
  return [{ path, words: (issue.message || wordsFor(issue)).replace(/(?<!\.)\.$/u, '') }];
}

function wordsFor(issue: Issue): string {
  const found = `, found ${inWords(foundIn(issue))}`;
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? issue.expected}${found}`;
    case 'invalid_value':
      return `expected ${oneOf(issue.values.map(inWords))}${found}`;
    case 'too_small':
      return `expected ${limited(issue.origin, 'at least', 'more than', issue.minimum, issue)}${found}`;
    case 'too_big':
      return `expected ${limited(issue.origin, 'at most', 'less than', issue.maximum, issue)}${found}`;
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}${found}`;
    case 'invalid_format':
      return `expected ${FORMATS[issue.format] ?? `text of the form ${issue.pattern ?? issue.format}`}${found}`;
    case 'unrecognized_keys':
      return `unknown ${issue.keys.length === 1 ? 'field' : 'fields'} ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}`;
    case 'invalid_key':
      return `not a possible name: ${issue.issues.map((one) => one.message || wordsFor(one)).join('; ')}`;
    case 'invalid_union':
      return `expected ${unionOf(issue)}${found}`;
    default:
      return `not as expected${found}`;
  }
}

/** The value to show for an issue. Where a value's kind decides its form and the kind is wrong, zod reports the whole value. */
function foundIn(issue: Issue): unknown {
  if (issue.code !== 'invalid_union' || issue.discriminator === undefined) return issue.input;
  return (issue.input as Readonly<Record<string, unknown>>)[issue.discriminator];
}

/** The names of types in messages, by zod's names. */
const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  undefined: 'nothing',
  never: 'nothing',
  function: 'a function',
};

const FORMATS: Readonly<Record<string, string>> = { url: 'an address', datetime: 'a date and time of ISO 8601' };

/** The unit of a limit: limits of numbers concern the value itself, all others its length. */
const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'entry', object: 'field', set: 'entry' };

function limited(
  origin: string,
  included: string,
  excluded: string,
  limit: number | bigint,
  { inclusive, exact }: { readonly inclusive?: boolean | undefined; readonly exact?: boolean | undefined },
): string {
  const unit = UNITS[origin];
  const side = exact ? 'exactly' : inclusive === false ? excluded : included;
  if (unit === undefined) return `${side} ${limit}`;
  if (unit === 'character' && limit === 1 && side === 'at least') return 'text';
  return `${side} ${limit} ${Number(limit) === 1 ? unit : unit.replace(/y$/, 'ie').concat('s')}`;
}

function unionOf(issue: Extract<Issue, { code: 'invalid_union' }>): string {
  const { discriminator, options } = issue as { discriminator?: string; options?: readonly z.core.util.Primitive[] };
  if (discriminator !== undefined) return oneOf((options ?? []).map(inWords));
  // What a function decides has no words of its own.
  const said = issue.errors.flat().filter(({ code, message }) => code !== 'custom' || message !== '');
  const types = said.map((one) => {
    if (one.code === 'invalid_type') return TYPES[one.expected] ?? one.expected;
    return one.code === 'invalid_value'
      ? oneOf(one.values.map(inWords))
      : (one.message || wordsFor(one)).replace(/^expected |, found .*$/g, '');
  });
  return oneOf([...new Set(types)]);
}

function oneOf(choices: readonly string[]): string {
  return choices.length < 2 ? choices.join('') : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
}

/** A found value so that a reader knows it again: short ones whole, of longer texts the beginning. */
function inWords(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string')
    return value === '' ? 'empty text' : JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  if (isLosslessNumber(value)) return value.toString();
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}
