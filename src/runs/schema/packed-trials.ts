/**
 * The trials of a run that has ended, packed: what `trials.jsonl.gz` holds. A head, then one line for the trials of a sample, with a column for each condition
 * and without what follows from the rest, then an end with a checksum. The entries that are read are those of the journal, in its order.
 *
 * NLLs of tokens are whole multiples of a small power of two in most runs. They are written as such multiples, each condition's as the difference to another's
 * that lies near it, because small whole numbers have few digits, and the digits of all lines stand together. It knows nothing of how a form is chosen;
 * `pack-trials.ts` does.
 */
import { z } from 'zod';
import { crc32 } from '../../base/crc32.js';
import { shortestFloat32 } from '../../base/float32.js';
import { tryParse } from '../../base/parse.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
import { numbersOf } from './digits.js';
import { rejectionSchema, sumOf } from './entry.js';
import { journalHeadSchema } from './journal-head.js';
import { unseal } from './sealed.js';

const place = z.number().int().nonnegative();

export const packedHeadSchema = z.strictObject({
  packed: z.literal(1).describe('The form of the lines that follow.'),
  journal: journalHeadSchema
    .optional()
    .describe('The first line of the journal, without its checksum; absent where the journal is older than that line.'),
  conditions: z.array(z.string()).describe('The names of the conditions.'),
  after: z
    .array(place.nullable())
    .describe('For each condition, the number of the one from which its NLLs are counted, from 0; null for none.'),
  fraction_bits: z
    .number()
    .int()
    .nullable()
    .describe(
      'NLLs are whole multiples of 2^-fraction_bits, and the digits are those of differences of these multiples. Null where there is no such power: the lines hold the NLLs then.',
    ),
});

export type PackedHead = z.infer<typeof packedHeadSchema>;

export const packedTrialsSchema = z.strictObject({
  sample: z.string().describe('The sample’s id.'),
  of: z
    .array(place)
    .optional()
    .describe(
      'The numbers of the conditions that the columns are of; absent where they are all of the head’s, in its order.',
    ),
  tokens: z
    .number()
    .int()
    .positive()
    .optional()
    .describe(
      'The number of tokens of the target. The digits give a row for each, with a column for each condition: its NLL in the head’s unit, less that of the condition of `after` where the line has that one further to the left. Those of a trial are what this gives in nine digits, a tie being rounded away from zero; sums are taken before. Absent where the line holds the NLLs, and for measurements inside the encoder.',
    ),
  tempered: z
    .literal(true)
    .optional()
    .describe(
      'Rows of the inverse temperatures other than 1 follow: for each token a row for each of them, in their order.',
    ),
  token_nlls: z
    .array(z.array(z.number()))
    .optional()
    .describe('The rows of the tokens themselves, where the NLLs have no unit.'),
  tempered_nlls: z
    .array(z.array(z.number()))
    .optional()
    .describe('The rows of the other temperatures themselves, where the NLLs have no unit.'),
  fields: z
    .record(
      z.string(),
      z.strictObject({
        values: z.array(z.unknown()).describe('Its values, each once.'),
        at: z
          .array(place.nullable())
          .optional()
          .describe(
            'For each column the number of its value, null where the trial has none; absent where all have the first.',
          ),
      }),
    )
    .describe('Every other field of the trials but `nll`, `nll_sum` and `num_tokens`, which follow from their NLLs.'),
});

export type PackedTrials = z.infer<typeof packedTrialsSchema>;

export const packedDigitsSchema = z.strictObject({
  digits: z
    .array(z.string())
    .describe(
      'Of each number its lowest hexadecimal digit, then of each the next one, and so on. A number stands as twice its size, plus 1 where it is negative.',
    ),
});

export const packedEndSchema = z.strictObject({
  entries: z.number().int().nonnegative().describe('The number of trials and rejected samples.'),
});

/** What the first line of packed trials begins with. */
const BEGINNING = new TextEncoder().encode('{"packed":');

export function isPacked(bytes: Uint8Array): boolean {
  return BEGINNING.every((byte, at) => bytes[at] === byte);
}

/** Inverse temperatures other than 1. */
const OTHERS = INVERSE_TEMPERATURES.length - 1;

/** Entries as they were packed; what they are is not checked. */
export interface UnpackedTrials {
  readonly head: PackedHead;
  readonly entries: readonly { readonly value: unknown; readonly line: number }[];
}

const LINE_BREAK = 0x0a;

/** @throws Error saying what is wrong and where */
export function unpackTrials(bytes: Uint8Array): UnpackedTrials {
  const beforeEnd = bytes.subarray(0, -1).lastIndexOf(LINE_BREAK) + 1;
  if (bytes.at(-1) !== LINE_BREAK || beforeEnd === 0) throw new Error('its end is not there');
  const { value: end, sealed } = unseal(bytes.subarray(beforeEnd, -1), [crc32(bytes.subarray(0, beforeEnd))]);
  if (!sealed) throw new Error('its last line has no checksum');
  const [first, ...lines] = new TextDecoder().decode(bytes.subarray(0, beforeEnd - 1)).split('\n');
  const head = expected(packedHeadSchema, JSON.parse(first!), 'line 1');
  const values = lines.map((text): unknown => JSON.parse(text));
  const numbers = isObject(values.at(-1), 'digits')
    ? numbersOf(expected(packedDigitsSchema, values.pop(), `line ${lines.length + 1}`).digits)
    : [];
  let taken = 0;
  const take = (rows: number, columns: number) => {
    const begin = taken;
    taken += rows * columns;
    if (taken > numbers.length) throw new Error(`digits of ${numbers.length} numbers, which the lines have more of`);
    return Array.from({ length: rows }, (_, row) => numbers.slice(begin + row * columns, begin + (row + 1) * columns));
  };
  const entries = values.flatMap((value, at) => {
    const line = at + 2;
    return unpackLine(value, head, take, `line ${line}`).map((entry) => ({ value: entry, line }));
  });
  if (taken < numbers.length) throw new Error(`digits of ${numbers.length} numbers, of which the lines have ${taken}`);
  const { entries: told } = expected(packedEndSchema, end, 'the last line');
  if (told !== entries.length) throw new Error(`${entries.length} entries, and its last line says ${told}`);
  return { head, entries };
}

/** @throws Error */
function expected<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = tryParse(schema, value);
  if (parsed.success) return parsed.data;
  throw new Error(`${where}: ${parsed.problem}`);
}

function isObject(value: unknown, member: string): boolean {
  return typeof value === 'object' && value !== null && member in value;
}

/** The rows of numbers that a line's own follow. */
type Take = (rows: number, columns: number) => number[][];

function unpackLine(value: unknown, head: PackedHead, take: Take, where: string): object[] {
  if (isObject(value, 'rejected')) return [expected(rejectionSchema, value, where)];
  const line = expected(packedTrialsSchema, value, where);
  const { sample, of = head.conditions.map((_, at) => at), tokens, fields } = line;
  const token_nlls = tokens === undefined ? line.token_nlls : take(tokens, of.length);
  const tempered_nlls = tokens && line.tempered ? take(tokens * OTHERS, of.length) : line.tempered_nlls;
  const unpacked = (rows: readonly (readonly number[])[]) => rows.map((row) => unpackedRow(row, of, head, where));
  const nlls = token_nlls && unpacked(token_nlls);
  const tempered = tempered_nlls && unpacked(tempered_nlls);
  return of.map((number, column) => {
    const condition = head.conditions[number];
    if (condition === undefined) throw new Error(`${where}: no condition has the number ${number}`);
    const others = Object.entries(fields).flatMap(([name, { values, at }]) => {
      const chosen = at === undefined ? 0 : at[column];
      if (chosen === null) return [];
      if (chosen === undefined || chosen >= values.length) throw new Error(`${where}: a column of ${name} is missing`);
      return [[name, values[chosen]] as const];
    });
    const own = nlls?.map((row) => row[column]!);
    return {
      sample,
      condition,
      ...(own && measured(own)),
      ...(own && tempered && { tempered_nlls: temperedOf(own, tempered, column, where) }),
      ...Object.fromEntries(others),
    };
  });
}

/** The NLLs of one row, by column. */
function unpackedRow(row: readonly number[], of: readonly number[], head: PackedHead, where: string): number[] {
  if (row.length !== of.length) throw new Error(`${where}: ${row.length} NLLs in a row of ${of.length} conditions`);
  if (head.fraction_bits === null) return [...row];
  const before = columnsBefore(of, head.after);
  const multiples: number[] = [];
  for (const [column, difference] of row.entries()) {
    const base = before[column];
    multiples.push(difference + (base === undefined ? 0 : multiples[base]!));
  }
  const unit = 2 ** -head.fraction_bits;
  return multiples.map((multiple) => shortestFloat32(multiple * unit));
}

/** For each column that of the condition from which it is counted, if the line has that one further to the left. */
export function columnsBefore(of: readonly number[], after: PackedHead['after']): (number | undefined)[] {
  const columns = new Map<number, number>();
  return of.map((number, column) => {
    const base = columns.get(after[number] ?? -1);
    columns.set(number, column);
    return base;
  });
}

function measured(tokenNlls: readonly number[]): object {
  const sum = sumOf(tokenNlls);
  return { nll: sum / tokenNlls.length, nll_sum: sum, num_tokens: tokenNlls.length, token_nlls: tokenNlls };
}

function temperedOf(
  tokenNlls: readonly number[],
  rows: readonly number[][],
  column: number,
  where: string,
): number[][] {
  if (rows.length !== tokenNlls.length * OTHERS) {
    throw new Error(`${where}: ${rows.length} rows of tempered_nlls for ${tokenNlls.length} tokens`);
  }
  return tokenNlls.map((nll, token) => {
    const own = rows.slice(token * OTHERS, (token + 1) * OTHERS).map((row) => row[column]!);
    return [...own.slice(0, AT_ONE), nll, ...own.slice(AT_ONE)];
  });
}
