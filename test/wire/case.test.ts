import { describe, expect, expectTypeOf, it } from 'vitest';
import { z } from 'zod';
import { tryParse } from '../../src/base/parse.js';
import { wireObject } from '../../src/wire/case.js';
import { jsonText } from '../../src/wire/text.js';

const system = wireObject({ name: z.string(), judgedMean: z.number().nullable() });
const schema = wireObject({
  numTokens: z.int(),
  builtIn: z.boolean().optional(),
  _id: z.string().optional(),
  bySystem: z.record(z.string(), system),
  allSystems: z.array(system).readonly(),
});
type Value = z.output<typeof schema>;

const value: Value = {
  numTokens: 3,
  bySystem: { doc_kw: { name: 'doc_kw', judgedMean: 0.5 }, someName: { name: 'someName', judgedMean: null } },
  allSystems: [{ name: 'bare', judgedMean: 1 }],
};
const json = {
  num_tokens: 3,
  by_system: { doc_kw: { name: 'doc_kw', judged_mean: 0.5 }, someName: { name: 'someName', judged_mean: null } },
  all_systems: [{ name: 'bare', judged_mean: 1 }],
};

describe('wireObject', () => {
  it('renames its members at every depth and no names that are data, there and back', () => {
    expect(z.encode(schema, value)).toEqual(json);
    expect(z.decode(schema, z.encode(schema, value))).toEqual(value);
    expect(z.encode(schema, { ...value, builtIn: true, _id: 'x' })).toEqual({ ...json, built_in: true, _id: 'x' });
  });

  it('has types of both sides', () => {
    expectTypeOf<z.input<typeof system>>().toEqualTypeOf<{ name: string; judged_mean: number | null }>();
    expectTypeOf<z.output<typeof system>>().toEqualTypeOf<{ name: string; judgedMean: number | null }>();
    expectTypeOf<z.input<typeof schema>['by_system']>().toEqualTypeOf<Record<string, z.input<typeof system>>>();
  });

  it('writes members in the schema’s order and leaves out those that are not in it or undefined', () => {
    const shuffled = { allSystems: value.allSystems, more: 1, bySystem: {}, builtIn: undefined, numTokens: 3 };
    expect(jsonText(schema, shuffled)).toBe(
      '{"num_tokens":3,"by_system":{},"all_systems":[{"name":"bare","judged_mean":1}]}',
    );
  });

  it.each([
    [{ ...json, numTokens: 3 }, 'unknown field "numTokens"'],
    [{ ...json, num_tokens: 1.5 }, 'num_tokens: expected a whole number, found 1.5'],
    [{ ...json, all_systems: [{ name: 'a' }] }, 'all_systems.0.judged_mean: expected a number, found nothing'],
    [null, 'expected an object, found null'],
  ])('refuses %j by the names of the JSON', (wrong, problem) => {
    expect(tryParse(schema, wrong)).toMatchObject({ success: false, problem });
  });

  it('refuses to write what is not of the schema', () => {
    expect(() => z.encode(schema, { ...value, numTokens: 1.5 })).toThrow('num_tokens');
  });

  it('describes its JSON side', () => {
    expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({
      properties: { num_tokens: { type: 'integer' }, all_systems: { items: { required: ['name', 'judged_mean'] } } },
      additionalProperties: false,
    });
  });
});
