/** Conditions on the fields of stored documents, which a request states. It knows neither stores nor requests. */
import { isLosslessNumber } from 'lossless-json';
import { DkvError } from '../base/errors.js';
import { valueAt } from '../datasets/values.js';
import type { FilterCondition } from '../wire/http/rerank.js';

/** @returns the path of the first condition that a document's fields do not meet; undefined where they meet all */
export type Filter = (fields: unknown) => string | undefined;

/** More conditions than these are a query language, which this is not. */
const MOST_CONDITIONS = 64;

type Scalar = string | number | boolean | null;
type Bound = string | number;
type Test = (value: unknown) => boolean;

/** @throws DkvError INPUT_INVALID for a condition that makes no sense, by its path */
export function filterOf(conditions: Readonly<Record<string, FilterCondition>>): Filter {
  const paths = Object.keys(conditions);
  if (paths.length > MOST_CONDITIONS) {
    throw new DkvError('INPUT_INVALID', `The filter has ${paths.length} conditions; at most ${MOST_CONDITIONS} go.`);
  }
  const tests = paths.map((path): readonly [string, Test] => [path, testOf(path, conditions[path]!)]);
  return (fields) => tests.find(([path, holds]) => !holds(valueAt(fields, path)))?.[0];
}

function testOf(path: string, condition: FilterCondition): Test {
  if (Array.isArray(condition)) {
    const wanted = new Set<unknown>(condition);
    return (value) => membersOf(value).some((member) => wanted.has(member));
  }
  if (condition === null || typeof condition !== 'object') return equals(condition);
  return rangeOf(path, condition as Exclude<FilterCondition, Scalar | readonly Scalar[]>);
}

const RANGES: Readonly<Record<'gte' | 'gt' | 'lte' | 'lt', (value: Bound, bound: Bound) => boolean>> = {
  gte: (value, bound) => value >= bound,
  gt: (value, bound) => value > bound,
  lte: (value, bound) => value <= bound,
  lt: (value, bound) => value < bound,
};

function rangeOf(path: string, condition: Exclude<FilterCondition, Scalar | readonly Scalar[]>): Test {
  const refuse = (message: string) => new DkvError('INPUT_INVALID', `The filter on ${JSON.stringify(path)} ${message}`);
  const { ne, exists, ...bounds } = condition;
  if (Object.keys(condition).length === 0) {
    throw refuse('is empty. Give a value, a list of values, or gte, lte, gt, lt, ne or exists.');
  }
  for (const [one, other] of [
    ['gte', 'gt'],
    ['lte', 'lt'],
  ] as const) {
    if (bounds[one] !== undefined && bounds[other] !== undefined) {
      throw refuse(`has both ${one} and ${other}. Leave one of the two out.`);
    }
  }
  const given = Object.values(bounds);
  if (new Set(given.map((bound) => typeof bound)).size > 1) {
    throw refuse('compares with a number and with a text. Take two of a kind.');
  }
  if (exists === false && Object.keys(condition).length > 1) {
    throw refuse('wants the field absent and says more of it. Leave one of the two out.');
  }
  const [low, high] = [bounds.gte ?? bounds.gt, bounds.lte ?? bounds.lt];
  if (low !== undefined && high !== undefined && low > high) {
    throw refuse(`allows nothing: ${JSON.stringify(low)} is more than ${JSON.stringify(high)}.`);
  }
  const tests: Test[] = [];
  if (exists !== undefined) tests.push((value) => (value !== undefined) === exists);
  if (ne !== undefined) {
    const isEqual = equals(ne);
    tests.push((value) => !isEqual(value));
  }
  const kept = Object.entries(bounds) as [keyof typeof RANGES, Bound][];
  if (kept.length > 0) {
    // Of a list one member has to meet all bounds.
    const isWithin = (member: unknown) =>
      kept.every(([name, bound]) => typeof member === typeof bound && RANGES[name](member as Bound, bound));
    tests.push((value) => membersOf(value).some(isWithin));
  }
  return (value) => tests.every((holds) => holds(value));
}

function equals(wanted: Scalar): Test {
  return (value) => membersOf(value).includes(wanted);
}

/** The values that a condition looks at: a list's members, or the value itself. Numbers that JSON wrote with more digits are taken as numbers. */
function membersOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  const members: readonly unknown[] = Array.isArray(value) ? value : [value];
  return members.map((member) => (isLosslessNumber(member) ? Number(member.toString()) : member));
}
