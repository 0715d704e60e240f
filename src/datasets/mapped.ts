/** Tables of the user's own: which column is the document, which the query, and so on. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { Random } from '../base/random.js';
import {
  type Dataset,
  datasetOf,
  type PoolRequest,
  type PoolSet,
  poolSetOf,
  type SampleRequest,
  type Source,
} from '../samples/dataset.js';
import type { Candidate, Grade, Pool, Sample } from '../samples/sample.js';
import { candidateLimit, drawRows, isJudgeable, limitCandidates } from './draw.js';
import { LeftOutRows } from './left-out.js';
import { type Columns, type OpenOptions, ROLES, type Role } from './options.js';
import { expectNoFloats, missingColumns, openTable, type Row, type Table } from './table.js';
import { parseGrade } from './trec.js';
import { idOf, textOf, topColumn, valueAt } from './values.js';

/**
 * @param pairs `role=column`, such as `document=body`; several in one with commas between
 * @throws DkvError INPUT_INVALID
 */
export function parseColumns(pairs: readonly string[]): Columns {
  const separate = pairs.flatMap((pair) => pair.split(/,(?=[a-z]+=)/));
  const entries = separate.map((pair) => {
    const [, role, column] = /^([^=]+)=(.+)$/.exec(pair) ?? [];
    if (role && column) return [role, column];
    throw new DkvError('INPUT_INVALID', `"${pair}": role=column was expected, such as document=body.`);
  });
  const unknown = entries.map(([role]) => role!).filter((role) => !ROLES.includes(role as Role));
  if (unknown.length === 0) return Object.fromEntries(entries) as Columns;
  throw new DkvError('INPUT_INVALID', `There is no role ${unknown.join(', ')}; roles are ${ROLES.join(', ')}.`);
}

export function mappedSource(place: string, options: OpenOptions): Source {
  return {
    about: `${place}, a table`,
    samples: (request) => mappedSamples(place, request, options),
    pools: (request) => mappedPools(place, request, options),
  };
}

async function mappedSamples(place: string, request: SampleRequest, options: OpenOptions): Promise<Dataset> {
  const table = await openTable(place, options);
  const needed = ['document', 'query', 'answer'] as const;
  const columns = resolveColumns(table, options.columns, needed);
  const others = otherColumns(table, request.columns);
  const lacks = new Map<Role, number>(needed.map((role) => [role, 0]));
  const leftOut = new LeftOutRows();
  let read = 0;
  async function* rows(): AsyncGenerator<Sample> {
    for await (const [number, row] of table.rows(topColumns(table, columns, others))) {
      const text = reader(table, columns, number, row);
      const [document, query, answer, title, cluster] = [
        text('document'),
        text('query'),
        text('answer') ?? (isThere(row, columns.answer) ? '' : undefined),
        text('title'),
        text('cluster'),
      ];
      read++;
      for (const role of needed) if (!text(role)) lacks.set(role, lacks.get(role)! + 1);
      // An answer that is there and empty is one: its sample is rejected when it is to be scored.
      const wanted = { document, query, answer: answer === '' ? 'empty' : answer };
      if (leftOut.lacks(named(wanted, columns))) continue;
      yield {
        id: text('id') ?? `row-${number}`,
        document: document!,
        query: query!,
        answer: answer!,
        ...(title && { title }),
        ...(cluster && { cluster }),
        ...othersIn(table, others, number, row),
      };
    }
  }
  const { samples, padding } = await drawRows(rows(), request);
  const short = request.rule === 'factoid' ? ' of five words at most' : '';
  if (samples.length === 0 && read > 0) {
    const each = needed.map((role) => `${lacks.get(role)} have no ${role} (${columns[role]})`).join(', ');
    throw new DkvError(
      'INPUT_INVALID',
      `${table.name}: none of ${read} rows has all of ${needed.join(', ')}${short}: ${each}.`,
    );
  }
  const selection = `rows with document, query and answer${short} (${describe(columns, others)}); the first ${candidateLimit(request)}, shuffled, ${request.count} taken`;
  return datasetOf({ ...origin(table, selection), ...leftOut.recorded }, samples, padding);
}

async function mappedPools(
  place: string,
  { count, seed, columns: asked }: PoolRequest,
  options: OpenOptions,
): Promise<PoolSet> {
  const table = await openTable(place, options);
  const columns = resolveColumns(table, options.columns, ['document', 'query', 'grade']);
  const others = otherColumns(table, asked);
  const pools = new Map<string, Pool & { readonly candidates: Candidate[] }>();
  const leftOut = new LeftOutRows();
  for await (const [number, row] of table.rows(topColumns(table, columns, others))) {
    const text = reader(table, columns, number, row);
    const [document, query, answer, title] = [text('document'), text('query'), text('answer'), text('title')];
    if (leftOut.lacks(named({ document, query }, columns)) || !document || !query) continue;
    const key = text('pool') ?? query;
    const pool = pools.get(key) ?? { id: key, query, ...(answer && { answer }), candidates: [] };
    pools.set(key, pool);
    const id = text('id') ?? `row-${number}`;
    if (pool.candidates.some((candidate) => candidate.id === id)) {
      throw new DkvError(
        'INPUT_INVALID',
        `${table.name}, row ${number + 1}: the pool "${key}" has the candidate "${id}" already.`,
      );
    }
    pool.candidates.push({
      id,
      document,
      ...(title && { title }),
      grade: gradeOf(table, number, text('grade')),
      ...othersIn(table, others, number, row),
    });
  }
  const random = new Random('table', seed);
  const chosen = new NumpyRandomState(seed).shuffle([...pools.values()].filter(isJudgeable)).slice(0, count);
  const selection = `pools with a relevant candidate (grade 1 or more) and another (${describe(columns, others)}), shuffled, ${count} taken; of each at most 40 candidates at random, every grade among them`;
  return poolSetOf(
    { ...origin(table, selection), ...leftOut.recorded },
    chosen.map((pool) => ({ ...pool, candidates: limitCandidates(pool.candidates, random) })),
  );
}

function origin(table: Table, selection: string) {
  // What follows the question mark of an address may be a signature: records are no place for it.
  const name = table.name.includes('://') ? table.name.replace(/\?.*/, '') : path.basename(table.name);
  return { name, revision: table.revision, licence: 'of the file', selection };
}

/**
 * The columns named by the user; for the other roles a column of the role's own name, where there is one.
 * @throws DkvError INPUT_INVALID for a column that is not there
 */
export function resolveColumns(table: Table, given: Columns = {}, needed: readonly Role[]): Columns {
  const columns: { [role in Role]?: string } = {};
  const missing: Role[] = [];
  for (const role of ROLES) {
    const column = given[role] ?? role;
    if (topColumn(table.columns, column) !== undefined) columns[role] = column;
    else if (given[role] !== undefined || needed.includes(role)) missing.push(role);
  }
  if (missing.length > 0) {
    const named = missing.map((role) => `no column ${JSON.stringify(given[role] ?? role)} for the ${role}`);
    const advice = ` Say which one it is: ${missing.map((role) => `${role}=COLUMN`).join(' ')}.${table.advice}`;
    throw missingColumns({ ...table, advice }, named.join(' and '));
  }
  expectNoFloats(
    table,
    KEYS.flatMap((role) => columns[role] ?? []),
  );
  return columns;
}

/** Roles whose values name something. */
const KEYS: readonly Role[] = ['id', 'pool', 'cluster'];

/** Columns that play no role, for surrogates. @throws DkvError INPUT_INVALID for one that is not there */
function otherColumns(table: Table, columns: readonly string[] = []): readonly string[] {
  const missing = columns.filter((column) => topColumn(table.columns, column) === undefined);
  if (missing.length === 0) return columns;
  const named = missing.map((column) => `no column ${JSON.stringify(column)} for the surrogate column:${column}`);
  throw missingColumns(table, named.join(' and '));
}

/** Tells whether the row has a value in the column, be it an empty text. */
function isThere(row: Row, column: string | undefined): boolean {
  const value = column === undefined ? undefined : valueAt(row, column);
  return value !== null && value !== undefined;
}

function topColumns(table: Table, columns: Columns, others: readonly string[]): string[] {
  const wanted = [...Object.values(columns), ...others];
  return [...new Set(wanted.flatMap((column) => topColumn(table.columns, column) ?? []))];
}

function othersIn(table: Table, others: readonly string[], number: number, row: Row): Pick<Sample, 'columns'> {
  if (others.length === 0) return {};
  const texts = others.map((column) => {
    const text = inRow(table, number, () => textOf(valueAt(row, column), column, 'surrogate', `column:${column}`));
    return [column, text] as const;
  });
  return { columns: Object.fromEntries(texts.filter(([, text]) => text.trim() !== '')) };
}

/** @throws DkvError INPUT_INVALID naming the row */
function inRow<T>({ name }: Table, number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    throw new DkvError('INPUT_INVALID', `${name}, row ${number + 1}: ${error.message}`);
  }
}

function reader(table: Table, columns: Columns, number: number, row: Row): (role: Role) => string | undefined {
  return (role) => {
    const column = columns[role];
    if (column === undefined) return undefined;
    const textIn = KEYS.includes(role) ? idOf : textOf;
    const text = inRow(table, number, () => textIn(valueAt(row, column), column, role));
    return text.trim() === '' ? undefined : text;
  };
}

/** Texts by their roles and, where these have other names, their columns. */
function named(
  texts: Readonly<Partial<Record<Role, string | undefined>>>,
  columns: Columns,
): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(texts).map(([role, text]) => {
      const column = columns[role as Role];
      return [column === role ? role : `${role} (${column})`, text];
    }),
  );
}

function gradeOf({ name }: Table, number: number, text: string | undefined): Grade {
  const grade = parseGrade(text);
  if (grade !== undefined && grade >= 0 && grade <= 3) return grade as Grade;
  throw new DkvError(
    'INPUT_INVALID',
    `${name}, row ${number + 1}: the grade is ${text ?? 'missing'}; 0, 1, 2 or 3 were expected.`,
  );
}

function describe(columns: Columns, others: readonly string[]): string {
  const roles = Object.entries(columns).map(([role, column]) => (role === column ? role : `${role}=${column}`));
  return [...roles, ...others.map((column) => `column:${column}`)].join(', ');
}
