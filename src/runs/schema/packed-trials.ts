/**
 * The trials of a run that has ended, packed: what `trials.jsonl.gz` holds. A head, then one line for the trials of a sample, with a column for each condition
 * and without what follows from the rest, then an end with a checksum. The entries that are read are those of the journal, in its order.
 *
 * NLLs of tokens are whole multiples of a small power of two in most runs. They are written as such multiples, each condition's as the difference to another's
 * that lies near it, because small whole numbers take few bytes. It knows nothing of how a form is chosen; `pack-trials.ts` does.
 */
import { z } from 'zod';
import { crc32 } from '../../base/crc32.js';
import { shortestFloat32 } from '../../base/float32.js';
import { tryParse } from '../../base/parse.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../stats/inverse-temperatures.js';
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
      'NLLs are whole multiples of 2^-fraction_bits, and the lines hold differences of those multiples. Null where there is no such power: the lines hold the NLLs then.',
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
  token_nlls: z
    .array(z.array(z.number()))
    .optional()
    .describe(
      'A row for each token of the target, with a column for each condition: its NLL in the head’s unit, less that of the condition of `after` where the line has that one further to the left. Those of a trial are what this gives in nine digits, a tie being rounded away from zero; sums are taken before. Absent for measurements inside the encoder.',
    ),
  tempered_nlls: z
    .array(z.array(z.number()))
    .optional()
    .describe(
      'The same at the inverse temperatures other than 1: for each token a row for each of them, in their order.',
    ),
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

export const packedEndSchema = z.strictObject({
  entries: z.number().int().nonnegative().describe('The number of trials and rejected samples.'),
});

/** What the first line of packed trials begins with. */
const BEGINNING = new TextEncoder().encode('{"packed":');

export function isPacked(bytes: Uint8Array): boolean {
  return BEGINNING.every((byte, at) => bytes[at] === byte);
}

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
  const entries = lines.flatMap((text, at) => {
    const line = at + 2;
    return unpackLine(JSON.parse(text), head, `line ${line}`).map((value) => ({ value, line }));
  });
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

function unpackLine(value: unknown, head: PackedHead, where: string): object[] {
  if (typeof value === 'object' && value !== null && 'rejected' in value)
    return [expected(rejectionSchema, value, where)];
  const {
    sample,
    of = head.conditions.map((_, at) => at),
    token_nlls,
    tempered_nlls,
    fields,
  } = expected(packedTrialsSchema, value, where);
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

/** Inverse temperatures other than 1. */
const OTHERS = INVERSE_TEMPERATURES.length - 1;

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
