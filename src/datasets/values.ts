/** What the values of rows are to us: texts, ids, and fields that are kept as JSON. Values are JSON's and Parquet's. */
import { isLosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';

export type Row = Readonly<Record<string, unknown>>;

/** Fields of JSON. */
export type Fields = Record<string, z.infer<ReturnType<typeof z.json>>>;

/**
 * The value of a column, or of a part of one: `answers.text.0` leads into structures and lists. Where a name with dots is a column's (or
 * a field's) own, the longest such name is followed: a column `answers.text` goes before the part `text` of a column `answers`.
 */
export function valueAt(value: unknown, column: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, column)) return (value as Row)[column];
  for (let end = column.lastIndexOf('.'); end > 0; end = column.lastIndexOf('.', end - 1)) {
    const name = column.slice(0, end);
    if (Object.hasOwn(value, name)) return valueAt((value as Row)[name], column.slice(end + 1));
  }
  return undefined;
}

/** The column that a name leads into, by the same rule; undefined when there is none. */
export function topColumn(columns: readonly string[], name: string): string | undefined {
  const fitting = columns.filter((column) => column === name || name.startsWith(`${column}.`));
  return fitting.sort((a, b) => b.length - a.length)[0];
}

/**
 * Reads a text; a number is taken as it is written. Empty where there is no value.
 * @param named how the column was named, for the advice
 * @throws DkvError INPUT_INVALID for lists, structures, dates and bytes
 */
export function textOf(value: unknown, column: string, role: string, named = `${role}=${column}`): string {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object' || isLosslessNumber(value)) return String(value);
  if (Array.isArray(value) || isStructure(value)) {
    const [kind, part] = Array.isArray(value) ? ['list', '0'] : ['structure', 'FIELD'];
    throw new DkvError(
      'INPUT_INVALID',
      `${column} is a ${kind}, a text was expected for the ${role}. Say which part: ${named}.${part}.`,
    );
  }
  const kind = value instanceof Date ? 'date' : 'sequence of bytes';
  throw new DkvError('INPUT_INVALID', `${column} is a ${kind}, a text was expected for the ${role}.`);
}

/**
 * Reads an id: a text, or a whole number of any size by its digits. Empty where there is no value.
 * @throws DkvError INPUT_INVALID, also for a number with a fraction or an exponent, of which other readers make another text
 */
export function idOf(value: unknown, column: string, role = 'id'): string {
  const text = textOf(value, column, role);
  if (typeof value === 'string' || text === '') return text;
  const isRounded = typeof value === 'number' && !Number.isSafeInteger(value);
  if (/^(0|-?[1-9]\d*)$/.test(text) && !isRounded) return text;
  throw new DkvError(
    'INPUT_INVALID',
    `${column} is ${text}: ${role === 'id' ? 'an id' : `what names a ${role}`} is a text or a whole number. Put it in quotes, as it is to be.`,
  );
}

/** The schema of ids, which may be numbers in files and are texts everywhere else. */
export const identifier = z.unknown().transform((value, context) => {
  try {
    const id = idOf(value, 'it');
    if (id !== '') return id;
    context.addIssue('expected an id');
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    context.addIssue(error.message.replace(/\.$/, ''));
  }
  return z.NEVER;
});

/** Makes JSON of a row's fields. Numbers that float64 cannot hold become texts, times become ISO 8601, and bytes are left out. */
export function jsonOf(fields: Row): Fields {
  const plain = (_: string, value: unknown) => {
    if (typeof value === 'bigint') return numberOrText(String(value));
    if (isLosslessNumber(value)) return numberOrText(value.value);
    return value instanceof Uint8Array ? undefined : value;
  };
  return JSON.parse(JSON.stringify(fields, plain)) as Fields;
}

function numberOrText(text: string): number | string {
  const value = Number(text);
  return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? text : value;
}

function isStructure(value: object): boolean {
  return !(value instanceof Date) && !ArrayBuffer.isView(value);
}
