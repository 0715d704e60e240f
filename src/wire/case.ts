/**
 * The one place that maps between JSON, whose names are snake_case, and TypeScript, whose names are camelCase. A schema is written once, with the names of
 * TypeScript; what stands inside as data (metadata, names of variants or measures as keys) keeps its names, because only the members of a `wireObject`
 * are renamed.
 */
import { z } from 'zod';

/** A name in the form of JSON: `nllSum` becomes `nll_sum`. */
export type Snake<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${Snake<Rest>}`
  : Name;

type Shape = Readonly<Record<string, z.ZodType>>;

type SnakeShape<S extends Shape> = { -readonly [Name in keyof S & string as Snake<Name>]: S[Name] };

/** A codec from strict JSON (`z.decode`, `parse`) to TypeScript, and back (`z.encode`). */
export type WireObject<S extends Shape> = z.ZodCodec<
  z.ZodObject<SnakeShape<S>, z.core.$strict>,
  z.ZodType<z.output<z.ZodObject<S, z.core.$strict>>>
>;

/**
 * Going to JSON, members that the schema does not have are left out; coming from JSON, they are refused.
 * @param shape by names in TypeScript
 */
export function wireObject<const S extends Shape>(shape: S): WireObject<S> {
  const names = Object.keys(shape).map((camel) => [camel, snakeOf(camel)] as const);
  const members = Object.fromEntries(names.map(([camel, snake]) => [snake, shape[camel]!]));
  const json = z.strictObject(members) as unknown as z.ZodObject<SnakeShape<S>, z.core.$strict>;
  return z.codec(json, z.custom<z.output<z.ZodObject<S, z.core.$strict>>>(), {
    decode: (value) =>
      renamed(
        value,
        names.map(([camel, snake]) => [snake, camel]),
      ) as never,
    encode: (value) => renamed(value, names) as never,
  });
}

function snakeOf(camel: string): string {
  return camel.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function renamed(value: unknown, names: readonly (readonly [from: string, to: string])[]): unknown {
  // What is no object is refused by the schema of the JSON side, in its words.
  if (typeof value !== 'object' || value === null) return value;
  const members = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.flatMap(([from, to]) => (members[from] === undefined ? [] : [[to, members[from]]])));
}
