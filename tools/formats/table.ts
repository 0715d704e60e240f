/** A schema's JSON side as rows of a table: field, type, meaning. */
import { z } from 'zod';

interface JsonSchema {
  readonly [name: string]: unknown;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema | false;
  readonly prefixItems?: readonly JsonSchema[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly $ref?: string;
}

export interface Row {
  readonly field: string;
  readonly type: string;
  readonly meaning: string;
  /** What stands for a field that is left out; undefined where nothing does. */
  readonly otherwise?: unknown;
}

export interface Described {
  /** Where the whole is a part with a table of its own: its name, and no tables here. */
  readonly part: string | undefined;
  /** One table for each form that the whole may have. */
  readonly tables: readonly (readonly Row[])[];
  /** Parts that the types name, and what they are. */
  readonly parts: ReadonlyMap<string, JsonSchema>;
}

export function describeSchema(schema: z.ZodType): Described {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return describeJson(json, new Map(Object.entries((json.$defs ?? {}) as Record<string, JsonSchema>)));
}

export function describeJson(json: JsonSchema, parts: Described['parts'] = new Map()): Described {
  return {
    part: json.$ref === undefined ? undefined : nameOf(json.$ref),
    tables: formsOf(json).map((form) => [...rowsOf(form, '')]),
    parts,
  };
}

function formsOf(json: JsonSchema): readonly JsonSchema[] {
  return json.$ref ? [] : (json.anyOf ?? json.oneOf ?? [json]);
}

/** Of an object's members, and of what stands in them. */
function* rowsOf(json: JsonSchema, above: string): Generator<Row> {
  for (const inner of shapesOf(json)) {
    for (const [name, member] of Object.entries(inner.properties ?? {})) {
      const field = `${above}${name}`;
      const isOptional = !inner.required?.includes(name);
      yield {
        field: `${field}${isOptional ? '?' : ''}`,
        type: typeOf(member),
        meaning: member.description ?? '',
        ...(member.default !== undefined && { otherwise: member.default }),
      };
      yield* rowsBelow(member, field);
    }
    if (typeof inner.additionalProperties === 'object') yield* rowsBelow(inner.additionalProperties, `${above}*`);
    if (inner.items) yield* rowsBelow(inner, above);
  }
}

function* rowsBelow(member: JsonSchema, field: string): Generator<Row> {
  const shapes = shapesOf(member);
  const forms = shapes.filter(({ properties }) => properties);
  for (const shape of shapes) {
    if (shape.properties) yield* formRows(shape, forms, `${field}.`);
    else if (shape.items) yield* rowsBelow(shape.items, `${field}[]`);
    else if (typeof shape.additionalProperties === 'object') yield* rowsBelow(shape.additionalProperties, `${field}.*`);
  }
}

/** Of one form of an object: a field that others lack may be left out, and says instead of what it stands. */
function* formRows(form: JsonSchema, forms: readonly JsonSchema[], above: string): Generator<Row> {
  const names = (one: JsonSchema) => Object.keys(one.properties!);
  const own = names(form).filter((name) => !forms.every((other) => name in other.properties!));
  const others = forms.flatMap((other) => names(other).filter((name) => !(name in form.properties!)));
  const instead = oneOf([...new Set(others)].map((name) => `\`${name}\``));
  for (const row of rowsOf(form, above)) {
    const isOwn = own.some((name) => row.field === `${above}${name}`);
    yield isOwn && others.length > 0
      ? { ...row, field: `${row.field}?`, meaning: `${row.meaning} Either this or ${instead}.` }
      : row;
  }
}

/** What a value may be, unions taken apart, without parts that have tables of their own. */
function shapesOf(json: JsonSchema): readonly JsonSchema[] {
  if (json.$ref) return [];
  return [json.anyOf, json.oneOf]
    .flatMap((options) => options ?? [])
    .flatMap(shapesOf)
    .concat(json);
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  null: 'null',
  object: 'object',
};

function typeOf(json: JsonSchema): string {
  if (json.$ref) {
    const part = nameOf(json.$ref);
    // A schema without a name of its own that refers to itself: z.json().
    if (part.startsWith('__')) return 'JSON';
    return `[${part}](#${part})`;
  }
  if (json.const !== undefined) return `\`${JSON.stringify(json.const)}\``;
  if (json.enum) return oneOf(json.enum.map((value) => `\`${JSON.stringify(value)}\``));
  const options = json.anyOf ?? json.oneOf;
  if (options) return oneOf([...new Set(options.map(typeOf))].filter((type) => type !== ANY));
  if (typeof json.type === 'object') return oneOf(json.type.map((type) => NAMES[type]!));
  if (json.type === 'array') {
    if (json.prefixItems) return `[${json.prefixItems.map(typeOf).join(', ')}]`;
    return `list of ${json.items ? plural(typeOf(json.items)) : 'anything'}`;
  }
  if (typeof json.additionalProperties === 'object' && !json.properties) {
    return `object, by name: ${typeOf(json.additionalProperties)}`;
  }
  return NAMES[json.type ?? ''] ?? ANY;
}

const ANY = 'anything';

function nameOf(ref: string): string {
  return ref.replace('#/$defs/', '');
}

function plural(type: string): string {
  return /^(text|number|whole number|object)$/.test(type)
    ? type.replace(/^text$/, 'texts').replace(/(number|object)$/, '$1s')
    : type;
}

function oneOf(types: readonly string[]): string {
  return types.length < 2 ? (types[0] ?? ANY) : `${types.slice(0, -1).join(', ')} or ${types.at(-1)}`;
}

export function markdownTable(rows: readonly Row[]): string {
  return [
    '| field | type | meaning |',
    '| --- | --- | --- |',
    ...rows.map(({ field, type, meaning }) => `| \`${field}\` | ${cell(type)} | ${cell(meaning)} |`),
  ].join('\n');
}

export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
