/** Conditions on fields: what meets them, and which of them are refused. */
import { expect, it } from 'vitest';
import { parse } from '../../src/base/parse.js';
import { filterOf } from '../../src/server/filters.js';
import { type FilterCondition, rerankRequestSchema } from '../../src/wire/http/rerank.js';

const fields = {
  price: 24,
  title: 'lamp',
  day: '2026-11-28',
  sold: false,
  none: null,
  tags: ['warm', 'green'],
  sizes: [3, 9],
  shop: { city: 'Rome', 'opening.hours': 'late' },
  'a.b': 1,
};

it('holds where the field is the value, one of the values, or in the range', () => {
  const cases: readonly [string, FilterCondition, boolean][] = [
    ['price', 24, true],
    ['price', '24', false],
    ['price', [1, 24], true],
    ['price', [1, 2], false],
    ['price', { gte: 24, lte: 24 }, true],
    ['price', { gt: 24 }, false],
    ['price', { lt: 25, gt: 23 }, true],
    ['price', { gte: '2' }, false],
    ['day', { gte: '2026-11-01', lt: '2026-12-01' }, true],
    ['day', { lt: '2026-11-28' }, false],
    ['sold', false, true],
    ['sold', { ne: false }, false],
    ['none', null, true],
    ['none', { exists: true }, true],
    ['absent', null, false],
    ['absent', { exists: false }, true],
    ['absent', { exists: true }, false],
    ['absent', { ne: 1 }, true],
    ['absent', { gte: 0 }, false],
    ['tags', 'green', true],
    ['tags', ['red', 'warm'], true],
    ['tags', { ne: 'green' }, false],
    // One member has to be in the whole range.
    ['sizes', { gt: 4, lt: 8 }, false],
    ['sizes', { gt: 4, lt: 10 }, true],
    ['shop.city', 'Rome', true],
    ['shop.opening.hours', 'late', true],
    ['a.b', 1, true],
    ['shop', 'Rome', false],
    ['title.length', 4, false],
    ['toString', { exists: true }, false],
  ];
  for (const [path, condition, holds] of cases) {
    expect([path, condition, filterOf({ [path]: condition })(fields)]).toEqual([
      path,
      condition,
      holds ? undefined : path,
    ]);
  }
  expect(filterOf({ price: 24, 'shop.city': 'Berlin', title: 'chair' })(fields)).toBe('shop.city');
  expect(filterOf({ price: 24 })(undefined)).toBe('price');
  expect(filterOf({})(undefined)).toBeUndefined();
});

it('refuses conditions that make no sense, by the path', () => {
  const cases: readonly [FilterCondition, RegExp][] = [
    [{}, /"a\.b" is empty/],
    [{ gte: 1, gt: 2 }, /both gte and gt/],
    [{ lte: 1, lt: 2 }, /both lte and lt/],
    [{ gte: 1, lt: 'z' }, /with a number and with a text/],
    [{ exists: false, ne: 1 }, /absent/],
    [{ gte: 3, lte: 2 }, /allows nothing: 3 is more than 2/],
  ];
  for (const [condition, message] of cases) expect(() => filterOf({ 'a.b': condition })).toThrow(message);
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`f${at}`, at]));
  expect(() => filterOf(many)).toThrow('65 conditions');
  const taken = (filter: unknown) =>
    parse(rerankRequestSchema, { query: 'q', documents: ['d'], filter }, 'INPUT_INVALID', 'The body').filter;
  expect(taken({ a: [1, 'b', null], c: { ne: true } })).toEqual({ a: [1, 'b', null], c: { ne: true } });
  for (const wrong of [{ a: [] }, { a: { near: 1 } }, { a: { gte: true } }, { a: [[1]] }, { '': 1 }, [], 'a']) {
    expect(() => taken(wrong)).toThrow(/^The body: filter/);
  }
});
