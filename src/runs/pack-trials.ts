/**
 * Packs the trials of a run that has ended: `schema/packed-trials.ts` says what the lines are and reads them again. Here is chosen which unit NLLs are counted
 * in, and for each condition from which other one.
 */
import { crc32 } from '../base/crc32.js';
import { AT_ONE } from '../stats/inverse-temperatures.js';
import { digitsOf, MOST as MOST_WRITTEN } from './schema/digits.js';
import { type Entry, isProbe, isRejection, isTrial, type ProbeTrial, type Trial } from './schema/entry.js';
import type { JournalHead } from './schema/journal-head.js';
import { columnsBefore, type PackedHead, type PackedTrials } from './schema/packed-trials.js';
import { sealedLineAfter } from './schema/sealed.js';

/** Trials that share a line: one sample, as many tokens, and each condition once. */
type Line = readonly (Trial | ProbeTrial)[];

/**
 * @param journal its first line, undefined for an older one without, and what stands in it
 * @returns lines from which `unpackTrials` makes the same entries in the same order
 */
export function packTrials(journal: JournalHead | undefined, entries: readonly Entry[]): string {
  const lines = sharedLines(entries);
  const conditions = [...new Set(entries.flatMap((entry) => (isRejection(entry) ? [] : [entry.condition])))];
  const numbers = new Map(conditions.map((name, number) => [name, number]));
  const rows = new Map(lines.flatMap((line) => (isLine(line) ? [[line, rowsOf(line)] as const] : [])));
  const fractionBits = fractionBitsOf(entries.filter(isTrial));
  const toMultiples = (row: readonly number[]) => row.map((nll) => Math.fround(nll) * 2 ** (fractionBits ?? 0));
  const whole = [...rows].filter(([line]) => line.length === conditions.length).slice(0, LOOKED_AT);
  const head: PackedHead = {
    packed: 1,
    ...(journal && { journal }),
    conditions,
    after:
      fractionBits === null
        ? conditions.map(() => null)
        : nearest(
            conditions.length,
            whole.flatMap(([line, { token_nlls = [] }]) => {
              const column = line.map(({ condition }) => numbers.get(condition)!);
              return token_nlls.map((row) => {
                const multiples = toMultiples(row);
                return conditions.map((_, number) => multiples[column.indexOf(number)]!);
              });
            }),
          ),
    fraction_bits: fractionBits,
  };
  const differences: number[] = [];
  const packed = lines.map((line) => {
    if (!isLine(line)) return line;
    const of = line.map(({ condition }) => numbers.get(condition)!);
    const before = columnsBefore(of, head.after);
    const isAll = of.length === conditions.length && of.every((number, column) => number === column);
    const nlls = rows.get(line)!;
    const { token_nlls: own, tempered_nlls: others } = nlls;
    if (fractionBits !== null) {
      for (const row of [...(own ?? []), ...(others ?? [])]) {
        const multiples = toMultiples(row);
        for (const [column, multiple] of multiples.entries()) {
          differences.push(multiple - (multiples[before[column] ?? -1] ?? 0));
        }
      }
    }
    return {
      sample: line[0]!.sample,
      ...(!isAll && { of }),
      ...(fractionBits === null ? nlls : { ...(own && { tokens: own.length }), ...(others && { tempered: true }) }),
      fields: fieldsOf(line),
    };
  });
  const digits = differences.length > 0 ? [{ digits: digitsOf(differences) }] : [];
  const body = [head, ...packed, ...digits].map((line) => `${JSON.stringify(line)}\n`).join('');
  return body + sealedLineAfter(crc32(new TextEncoder().encode(body)), { entries: entries.length });
}

function isLine(line: Line | Entry): line is Line {
  return Array.isArray(line);
}

/** Entries that follow each other, as far as they may share a line. */
function sharedLines(entries: readonly Entry[]): (Line | Entry)[] {
  const lines: ((Trial | ProbeTrial)[] | Entry)[] = [];
  const form = (entry: Trial | ProbeTrial) =>
    isTrial(entry) ? `${entry.num_tokens} ${entry.tempered_nlls !== undefined}` : '';
  for (const entry of entries) {
    const last = lines.at(-1);
    if (isRejection(entry)) lines.push(entry);
    else if (
      Array.isArray(last) &&
      last[0]!.sample === entry.sample &&
      form(last[0]!) === form(entry) &&
      !last.some(({ condition }) => condition === entry.condition)
    ) {
      last.push(entry);
    } else lines.push([entry]);
  }
  return lines;
}

type Rows = Pick<PackedTrials, 'token_nlls' | 'tempered_nlls'>;

/** The NLLs of a line as they are, a row for each token and temperature. */
function rowsOf(line: Line): Rows {
  if (isProbe(line[0]!)) return {};
  const trials = line as readonly Trial[];
  const [{ token_nlls, tempered_nlls }] = trials as readonly [Trial];
  return {
    token_nlls: token_nlls.map((_, token) => trials.map((trial) => trial.token_nlls[token]!)),
    ...(tempered_nlls && {
      tempered_nlls: tempered_nlls.flatMap((own, token) =>
        own.flatMap((_, at) => (at === AT_ONE ? [] : [trials.map((trial) => trial.tempered_nlls![token]![at]!)])),
      ),
    }),
  };
}

/** What has columns of its own in a line, or follows from it. */
const PACKED_APART = new Set(['sample', 'condition', 'nll', 'nll_sum', 'num_tokens', 'token_nlls', 'tempered_nlls']);

function fieldsOf(line: Line): PackedTrials['fields'] {
  const names = new Set(line.flatMap(Object.keys).filter((name) => !PACKED_APART.has(name)));
  return Object.fromEntries(
    [...names].map((name) => {
      const texts = line.map((trial) => JSON.stringify(trial[name as keyof typeof trial]) as string | undefined);
      const values = [...new Set(texts)].filter((text) => text !== undefined);
      const at = texts.map((text) => (text === undefined ? null : values.indexOf(text)));
      return [
        name,
        { values: values.map((text): unknown => JSON.parse(text)), ...(at.some((one) => one !== 0) && { at }) },
      ];
    }),
  );
}

/** Whole numbers up to this one, and the differences of two of them, can be written. */
const MOST = Math.floor(MOST_WRITTEN / 2);

/** The least number of binary digits behind the point with which all NLLs can be written; null where the largest would not be exact then. */
function fractionBitsOf(trials: readonly Trial[]): number | null {
  let bits = 0;
  let most = 0;
  for (const { token_nlls, tempered_nlls = [] } of trials) {
    for (const nll of [...token_nlls, ...tempered_nlls.flat()]) {
      const value = Math.fround(nll);
      most = Math.max(most, Math.abs(value));
      while (!Number.isInteger(value * 2 ** bits)) bits++;
      if (most * 2 ** bits > MOST) return null;
    }
  }
  return bits;
}

/** As many samples say which conditions lie near each other as well as all do. */
const LOOKED_AT = 64;

/** For each condition the one before it from which its differences take the fewest bits; null where its own values take no more. */
function nearest(count: number, rows: readonly (readonly number[])[]): (number | null)[] {
  const bits = (numbers: readonly number[]) =>
    numbers.reduce((sum, number) => sum + Math.log2(1 + Math.abs(number)), 0);
  const chosen: (number | null)[] = [];
  for (let own = 0; own < count; own++) {
    let [best, least]: [number | null, number] = [null, bits(rows.map((row) => row[own]!))];
    for (let other = 0; other < own; other++) {
      const cost = bits(rows.map((row) => row[own]! - row[other]!));
      if (cost < least) [best, least] = [other, cost];
    }
    chosen.push(best);
  }
  return chosen;
}
