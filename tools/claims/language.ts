/**
 * The language in which a text names where its numbers come from: fields of records, arithmetic, comparisons, and/or/not, all/any and a few functions. Every
 * expression ends and reads nothing but the records that it names; it knows nothing of texts and files.
 *
 *     exp02: comparisons[oracle_d].gain.mean; .trimmed_mean; 100 * .win
 *     exp04b: all(ranking.comparisons[family=d, treatment!=oracle_d].p < 0.05) and samples.clusters = 400
 *
 * `NAME:` chooses the record of all that follows. `[word]` takes the one element that is called so, or an object's field, `[3]` the fourth; `[*]` takes all, `[field=word,
 * field!=word]` those that fit, where a word may have `*` for any characters; lists go on as lists, and what is done to them is done to each. `.field` stands beside
 * the field that was read last.
 *
 * A number that a text prints is one of a record, not one of its comment. So outside of claims a number that is written in an expression multiplies or divides, as 2
 * or a power of ten, or is the 1 of `1 - share`.
 */
import { originalOf } from './altered.js';

/** A number with its interval, as summaries hold them. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export type Value = number | string | boolean | null | readonly Value[] | { readonly [name: string]: Value };

/** The record of a name, or an error that says what there is. */
export type Records = (name: string) => Value;

/** What is wrong with an expression or with what it asks for. */
export class ClaimError extends Error {}

export interface Item {
  /** The expression as it is written. */
  readonly text: string;
  /** Whether it is a sentence (`claim: ...`) and no number. */
  readonly claim: boolean;
  readonly value: Value;
  /** Names of the records that were read. */
  readonly read: ReadonlySet<string>;
  /** The numbers that are written in the expression. */
  readonly literals: readonly number[];
}

/** Fields that name an element of a list. */
const NAMES = ['name', 'treatment', 'title', 'model', 'effect', 'label', 'experiment'];

const TOKEN =
  /\s*(?:(?<source>[\w.][\w./-]*):(?=\s)|(?<path>\.?[A-Za-z_]\w*(?:\.\w+|\[[^\]]*\])*|\[[^\]]*\](?:\.\w+|\[[^\]]*\])*)|(?<number>\d+(?:\.\d+)?|\.\d+)|(?<text>"[^"]*")|(?<sign><=|>=|!=|[-+*/()<>=,]))/uy;

interface Token {
  readonly kind: 'source' | 'path' | 'number' | 'text' | 'sign';
  readonly text: string;
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const pattern = new RegExp(TOKEN);
  const end = text.trimEnd().length;
  while (pattern.lastIndex < end) {
    const from = pattern.lastIndex;
    const groups = pattern.exec(text)?.groups;
    if (!groups) throw new ClaimError(`"${text.slice(from, end)}" cannot be read`);
    const [kind, found] = Object.entries(groups).find(([, value]) => value !== undefined)!;
    tokens.push({ kind: kind as Token['kind'], text: found! });
  }
  return tokens;
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

function isObject(value: Value): value is { readonly [name: string]: Value } {
  return typeof value === 'object' && value !== null && !isList(value);
}

export function isInterval(value: Value): value is Value & Interval {
  return (
    isObject(value) &&
    typeof value.value === 'number' &&
    typeof value.low === 'number' &&
    typeof value.high === 'number'
  );
}

/** What a value counts as in arithmetic: an estimate is its value. */
function numberOf(value: Value): number {
  if (typeof value === 'number') return value;
  if (isObject(value) && typeof value.value === 'number') return value.value;
  if (isList(value) && value.length === 1) return numberOf(value[0]!);
  throw new ClaimError(`${JSON.stringify(value)?.slice(0, 60)} is no number`);
}

function booleanOf(value: Value): boolean {
  if (typeof value === 'boolean') return value;
  throw new ClaimError(`${JSON.stringify(value)?.slice(0, 60)} is neither true nor false`);
}

function listOf(value: Value): readonly Value[] {
  const list = isList(value) ? value : [value];
  if (list.length === 0) throw new ClaimError('an empty list says nothing');
  return list;
}

/** A function of two values for each pair; what is no list goes with every element of the other. */
function paired(a: Value, b: Value, of: (a: Value, b: Value) => Value): Value {
  if (isList(a) && isList(b)) {
    if (a.length !== b.length) throw new ClaimError(`lists of ${a.length} and ${b.length} cannot be paired`);
    return a.map((each, i) => of(each, b[i]!));
  }
  if (isList(a)) return a.map((each) => of(each, b));
  if (isList(b)) return b.map((each) => of(a, each));
  return of(a, b);
}

/** An interval by a number: its ends are moved with it, in ascending order. */
function moved(interval: Interval, of: (x: number) => number): Value {
  const ends = [of(interval.low), of(interval.high)];
  return { value: of(interval.value), low: Math.min(...ends), high: Math.max(...ends) };
}

function arithmetic(a: Value, b: Value, of: (a: number, b: number) => number): Value {
  if (isInterval(a) && typeof b === 'number') return moved(a, (x) => of(x, b));
  if (isInterval(b) && typeof a === 'number') return moved(b, (x) => of(a, x));
  return of(numberOf(a), numberOf(b));
}

const ARITHMETIC: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

const COMPARISONS: Record<string, (a: number, b: number) => boolean> = {
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

function compared(sign: string, a: Value, b: Value): boolean {
  if (sign === '=' || sign === '!=') {
    const same = typeof a === 'string' || typeof b === 'string' ? a === b : numberOf(a) === numberOf(b);
    return same === (sign === '=');
  }
  return COMPARISONS[sign]!(numberOf(a), numberOf(b));
}

const FUNCTIONS: Record<string, (list: readonly Value[]) => Value> = {
  all: (list) => list.every(booleanOf),
  any: (list) => list.some(booleanOf),
  count: (list) => list.filter(booleanOf).length,
  min: (list) => Math.min(...list.map(numberOf)),
  max: (list) => Math.max(...list.map(numberOf)),
  sum: (list) => list.reduce((total: number, value) => total + numberOf(value), 0),
  abs: (list) => (list.length === 1 ? Math.abs(numberOf(list[0]!)) : list.map((value) => Math.abs(numberOf(value)))),
};

function fieldOf(value: Value, name: string): Value {
  if (isList(value)) return value.map((each) => fieldOf(each, name));
  if (!isObject(value) || !Object.hasOwn(value, name)) {
    const there = isObject(value) ? Object.keys(value).join(', ') : JSON.stringify(value);
    throw new ClaimError(`there is no field "${name}"; there are: ${there?.slice(0, 300)}`);
  }
  return value[name]!;
}

function namesOf(element: Value): string[] {
  const value = originalOf(element);
  return isObject(value) ? NAMES.flatMap((name) => (typeof value[name] === 'string' ? [value[name]] : [])) : [];
}

/** @param word may have `*` for any characters */
function fitsWord(text: string, word: string): boolean {
  const parts = word.split('*').map((part) => part.replace(/[$()*+.?[\\\]^{|}]/gu, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'su').test(text);
}

function chosen(value: Value, selector: string): Value {
  if (isList(value) && value.some(isList)) return value.map((each) => chosen(each, selector));
  const list = isObject(value) ? Object.values(value) : value;
  if (!isList(list)) throw new ClaimError(`[${selector}] chooses from a list or an object, and there is neither`);
  if (selector === '*') return list;
  if (/^\w+!?=/u.test(selector)) {
    const conditions = selector.split(/,\s*(?=\w+!?=)/u).map((condition) => {
      const [, name, sign, wanted] = /^(\w+)(!?=)(.*)$/u.exec(condition) ?? [];
      if (name === undefined) throw new ClaimError(`[${selector}]: "${condition}" is no condition`);
      return (each: Value) => fitsWord(String(fieldOf(originalOf(each), name)), wanted!) === (sign === '=');
    });
    const fitting = list.filter((each) => conditions.every((fits) => fits(each)));
    if (fitting.length === 0) throw new ClaimError(`nothing fits [${selector}]`);
    return fitting;
  }
  if (isObject(value)) return fieldOf(value, selector);
  if (/^\d+$/u.test(selector)) {
    if (Number(selector) < list.length) return list[Number(selector)]!;
    throw new ClaimError(`there are ${list.length}, and so no [${selector}]`);
  }
  const called = list.filter((each) => namesOf(each).includes(selector));
  if (called.length !== 1) {
    const there = list.flatMap(namesOf).join(', ');
    throw new ClaimError(`${called.length} are called "${selector}", not one; there are: ${there.slice(0, 300)}`);
  }
  return called[0]!;
}

const STEP = /\.?(\w+)|\[([^\]]*)\]/gu;

/** What has been read so far: it goes on from one item of a comment to the next. */
class Reader {
  readonly #records: Records;
  #source: string | undefined;
  #parent: Value | undefined;
  #tokens: Token[] = [];
  #read = new Set<string>();
  #literals: number[] = [];
  /** How many fields were read: where it has not risen, nothing but literals was. */
  #fields = 0;
  #claim = false;

  constructor(records: Records) {
    this.#records = records;
  }

  item(text: string): Item {
    const [, , claim, expression] = /^\s*((claim):)?([\s\S]*)$/u.exec(text)!;
    this.#tokens = tokensOf(expression!);
    this.#read = new Set();
    this.#literals = [];
    this.#claim = claim !== undefined;
    const value = this.#or();
    const rest = this.#tokens[0];
    if (rest) throw new ClaimError(`"${rest.text}" is too much`);
    if (this.#read.size === 0) throw new ClaimError('it reads no field, so it shows nothing');
    return { text: text.trim(), claim: this.#claim, value, read: this.#read, literals: this.#literals };
  }

  /** A value, and whether it was read of no record. */
  #operand(read: () => Value): { value: Value; literal: boolean } {
    const before = this.#fields;
    const value = read();
    return { value, literal: this.#fields === before };
  }

  #next(...signs: string[]): string | undefined {
    const token = this.#tokens[0];
    if (!token || !(token.kind === 'sign' || token.kind === 'path') || !signs.includes(token.text)) return undefined;
    this.#tokens.shift();
    return token.text;
  }

  #expect(sign: string): void {
    if (!this.#next(sign)) throw new ClaimError(`"${sign}" is missing before ${this.#tokens[0]?.text ?? 'the end'}`);
  }

  #or(): Value {
    let value = this.#and();
    while (this.#next('or')) {
      const other = this.#and();
      value = paired(value, other, (a, b) => [booleanOf(a), booleanOf(b)].includes(true));
    }
    return value;
  }

  #and(): Value {
    let value = this.#not();
    while (this.#next('and')) {
      const other = this.#not();
      value = paired(value, other, (a, b) => ![booleanOf(a), booleanOf(b)].includes(false));
    }
    return value;
  }

  #not(): Value {
    if (!this.#next('not')) return this.#comparison();
    const value = this.#not();
    return isList(value) ? value.map((each) => !booleanOf(each)) : !booleanOf(value);
  }

  #comparison(): Value {
    const value = this.#sum();
    const sign = this.#next('<', '>', '<=', '>=', '=', '!=');
    return sign ? paired(value, this.#sum(), (a, b) => compared(sign, a, b)) : value;
  }

  #sum(): Value {
    return this.#chain(
      () => this.#product(),
      ['+', '-'],
      (number, sign, first) => sign === '-' && first && number === 1,
    );
  }

  #product(): Value {
    return this.#chain(
      () => this.#signed(),
      ['*', '/'],
      (number) => number === 2 || Number.isInteger(Math.log10(number)),
    );
  }

  /** @param allowed says whether a literal may stand on this side of a sign where no claim is read */
  #chain(
    operand: () => Value,
    signs: readonly string[],
    allowed: (literal: number, sign: string, first: boolean) => boolean,
  ): Value {
    let left = this.#operand(operand);
    for (let sign = this.#next(...signs); sign; sign = this.#next(...signs)) {
      const right = this.#operand(operand);
      for (const side of [left, right]) {
        if (this.#claim || !side.literal || allowed(numberOf(side.value), sign, side === left)) continue;
        throw new ClaimError(`${numberOf(side.value)} is a number of the comment, not of a record`);
      }
      const of = ARITHMETIC[sign]!;
      const value = paired(left.value, right.value, (a, b) => arithmetic(a, b, of));
      left = { value, literal: left.literal && right.literal };
    }
    return left.value;
  }

  #signed(): Value {
    return this.#next('-') ? paired(-1, this.#signed(), (a, b) => arithmetic(a, b, ARITHMETIC['*']!)) : this.#primary();
  }

  #primary(): Value {
    if (this.#next('(')) {
      const value = this.#or();
      this.#expect(')');
      return value;
    }
    const token = this.#tokens.shift();
    if (token?.kind === 'source') {
      this.#source = token.text;
      this.#parent = undefined;
      return this.#signed();
    }
    if (token?.kind === 'number') {
      this.#literals.push(Number(token.text));
      return Number(token.text);
    }
    if (token?.kind === 'text') return token.text.slice(1, -1);
    if (token?.kind !== 'path') throw new ClaimError(`a value is missing before ${token?.text ?? 'the end'}`);
    const of = FUNCTIONS[token.text];
    if (!of || !this.#next('(')) return this.#field(token.text);
    const list: Value[] = [];
    do {
      const { value, literal } = this.#operand(() => this.#or());
      if (literal && !this.#claim) throw new ClaimError(`${token.text} takes fields, not numbers of the comment`);
      list.push(...listOf(value));
    } while (this.#next(','));
    this.#expect(')');
    return of(list);
  }

  #field(path: string): Value {
    if (this.#source === undefined) throw new ClaimError(`${path}: no record is named before it`);
    const beside = path.startsWith('.');
    if (beside && this.#parent === undefined) throw new ClaimError(`${path}: nothing was read before it`);
    this.#read.add(this.#source);
    this.#fields++;
    let value = beside ? this.#parent! : this.#records(this.#source);
    for (const [, name, selector] of path.matchAll(STEP)) {
      this.#parent = value;
      value = name === undefined ? chosen(value, selector!) : fieldOf(value, name);
    }
    return value;
  }
}

/** The items of a comment, in order, each with its value or with what is wrong with it. @param comment items between semicolons */
export function readItems(comment: string, records: Records): (Item | { text: string; error: string })[] {
  const reader = new Reader(records);
  const items = comment.split(';').filter((text) => text.trim() !== '');
  return items.map((text) => {
    try {
      return reader.item(text);
    } catch (error) {
      if (!(error instanceof ClaimError)) throw error;
      return { text: text.trim(), error: error.message };
    }
  });
}

/** Whether a claim holds: all of it, where it is a list. */
export function holds(value: Value): boolean {
  return listOf(value).every(booleanOf);
}
