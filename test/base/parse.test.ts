/** What is said of values that do not fit a schema, kind by kind; and that a schema's own words and its transformations stay. */
import { LosslessNumber } from 'lossless-json';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { DkvError } from '../../src/base/errors.js';
import { parse, tryParse } from '../../src/base/parse.js';

const problem = (schema: z.ZodType, value: unknown): string => {
  const parsed = tryParse(schema, value);
  if (parsed.success) throw new Error('the value fits');
  return parsed.problem;
};

const shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('circle'), radius: z.number() }),
  z.object({ kind: z.literal('square'), side: z.number() }),
]);

describe('what is wrong', () => {
  it.each<[string, z.ZodType, unknown, string]>([
    ['a missing field', z.object({ name: z.string() }), {}, 'name: expected text, found nothing'],
    ['another type', z.object({ a: z.array(z.number()) }), { a: [1, 'x'] }, 'a.1: expected a number, found "x"'],
    ['no object', z.object({}), [1, 2], 'expected an object, found a list of 2'],
    ['null', z.string(), null, 'expected text, found null'],
    ['no number', z.number(), Number.NaN, 'expected a number, found NaN'],
    ['a fraction', z.int(), 1.5, 'expected a whole number, found 1.5'],
    [
      'a number beyond float64',
      z.number(),
      new LosslessNumber('9007199254740993'),
      'expected a number, found 9007199254740993',
    ],
    ['long text', z.number(), 'x'.repeat(60), `expected a number, found "${'x'.repeat(40)}..."`],
    ['another choice', z.enum(['a', 'b', 'c']), 'd', 'expected "a", "b" or "c", found "d"'],
    ['another constant', z.literal(3), 4, 'expected 3, found 4'],
    ['empty text', z.string().min(1), '', 'expected text, found empty text'],
    ['short text', z.string().length(3), 'ab', 'expected exactly 3 characters, found "ab"'],
    ['a short list', z.array(z.string()).min(2), ['a'], 'expected at least 2 entries, found a list of 1'],
    ['an empty list', z.array(z.string()).min(1), [], 'expected at least 1 entry, found an empty list'],
    ['a small number', z.number().positive(), 0, 'expected more than 0, found 0'],
    ['a large number', z.number().max(7), 8, 'expected at most 7, found 8'],
    ['no multiple', z.number().multipleOf(5), 3, 'expected a multiple of 5, found 3'],
    ['another form', z.string().regex(/^a/), 'b', 'expected text of the form /^a/, found "b"'],
    ['no address', z.url(), 'x', 'expected an address, found "x"'],
    ['a field too many', z.strictObject({ a: z.string() }), { a: '', b: 1 }, 'unknown field "b"'],
    ['fields too many', z.strictObject({}), { a: '', b: 1 }, 'unknown fields "a", "b"'],
    [
      'a name',
      z.record(z.string().regex(/^a/), z.string()),
      { b: '' },
      'b: not a possible name: expected text of the form /^a/, found "b"',
    ],
    ['none of several types', z.union([z.string(), z.int()]), true, 'expected text or a number, found true'],
    [
      'none of several of which a function knows one',
      z.union([z.string(), z.number(), z.custom<LosslessNumber>((value) => value instanceof LosslessNumber)]),
      { a: 1 },
      'expected text or a number, found an object',
    ],
    [
      'of several forms the closest',
      z.union([z.string(), z.object({ a: z.string() })]),
      { a: 1 },
      'a: expected text, found 1',
    ],
    [
      'another kind',
      z.object({ shape }),
      { shape: { kind: 'line' } },
      'shape.kind: expected "circle" or "square", found "line"',
    ],
    ['the schema’s own words', z.object({ a: z.string({ error: 'it has no name' }) }), {}, 'a: it has no name'],
    ['a check without words', z.string().refine(() => false), 'a', 'not as expected, found "a"'],
    [
      'several fields',
      z.object({ a: z.string(), b: z.int() }),
      {},
      'a: expected text, found nothing; b: expected a number, found nothing',
    ],
    [
      'many fields',
      z.object({ a: z.null(), b: z.null(), c: z.null(), d: z.null(), e: z.null() }),
      { a: 1, b: 2, c: 3, d: 4, e: 5 },
      'a: expected null, found 1; b: expected null, found 2; c: expected null, found 3; and 2 more',
    ],
  ])('%s', (_, schema, value, expected) => {
    expect(problem(schema, value)).toBe(expected);
  });
});

describe('parse', () => {
  const schema = z.object({ words: z.string().transform((text) => text.split(' ')), of: z.string().default('file') });

  it('gives the value in the form of the schema', () => {
    expect(parse(schema, { words: 'a b' }, 'INPUT_INVALID', 'x.json')).toEqual({ words: ['a', 'b'], of: 'file' });
  });

  it('throws the code with where, field and advice', () => {
    const wrong = () => parse(schema, { words: 1 }, 'STORE_DAMAGED', 'x.json', 'Write it again.');
    expect(wrong).toThrow(new DkvError('STORE_DAMAGED', 'x.json: words: expected text, found 1. Write it again.'));
    expect(wrong).toThrow(expect.objectContaining({ code: 'STORE_DAMAGED' }));
  });
});
