/** Queries as JSON lines, BEIR's form: `_id` (or `id`) and `text`, with an `answer` where there is one. */

import { DkvError } from '../base/errors.js';
import { readText } from '../base/text-input.js';
import { queryInputSchema, referenceQueryInputSchema } from '../wire/inputs.js';
import type { OpenOptions } from './options.js';
import { checkedRow, expectNoFloats, missingColumns, openTable, type Table } from './table.js';
import { kindOf, textRows } from './text-rows.js';
import { identifier } from './values.js';

export interface QueryRow {
  readonly id: string;
  readonly text: string;
  readonly answer?: string;
}

const querySchema = queryInputSchema
  .extend({ _id: identifier.optional(), id: identifier.optional() })
  .refine(({ _id, id }) => _id !== undefined || id !== undefined, { path: ['_id'], error: 'expected an id' });

/** @throws DkvError INPUT_INVALID with the row's number, also for an id that comes twice, for a blank query and for a file without any query */
export async function readQueries(table: Table): Promise<QueryRow[]> {
  const queries = new Map<string, QueryRow>();
  if (table.columns.length > 0) expectQueryColumns(table);
  for await (const [number, row] of table.rows(table.columns)) {
    const { _id, id = _id!, text, answer } = checkedRow(querySchema, table, number, row);
    const refuse = (reason: string) =>
      new DkvError('INPUT_INVALID', `${table.name}, row ${number + 1}: the id ${id} ${reason}.`);
    if (text.trim() === '') throw refuse('has a query without text');
    if (queries.has(id)) throw refuse('comes twice');
    queries.set(id, { id, text, ...(answer && { answer }) });
  }
  if (queries.size > 0) return [...queries.values()];
  throw new DkvError(
    'INPUT_INVALID',
    `${table.name}: no queries in it. Expected lines like {"_id": "q1", "text": "..."}.`,
  );
}

/** @throws DkvError INPUT_INVALID */
function expectQueryColumns(table: Table): void {
  const missing = [['_id', 'id'], ['text']].filter((names) => !names.some((name) => table.columns.includes(name)));
  if (missing.length > 0)
    throw missingColumns(table, `no column ${missing.map((names) => names.join(' or ')).join(' and ')}`);
  expectNoFloats(table, ['_id', 'id']);
}

/**
 * Reads the queries of a file: JSON lines, or a table.
 * @throws DkvError INPUT_INVALID
 */
export async function readQueryFile(file: string, options: Pick<OpenOptions, 'signal'> = {}): Promise<QueryRow[]> {
  return readQueries(await openTable(file, options));
}

/**
 * Reads texts of queries that need no ids: lines of text, or of a .jsonl file.
 * @param name the file's name, for messages
 * @throws DkvError INPUT_INVALID, also when there are none
 */
export async function readReferenceTexts(file: string, name: string = file): Promise<string[]> {
  const queries = kindOf(file) === 'jsonl' ? await jsonTexts(file, name) : await plainTexts(file, name);
  if (queries.length > 0) return queries;
  throw new DkvError('INPUT_INVALID', `${name}: there are no reference queries in it.`);
}

async function plainTexts(file: string, name: string): Promise<string[]> {
  const lines = (await readText(file, name)).split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '');
}

async function jsonTexts(file: string, name: string): Promise<string[]> {
  const queries: string[] = [];
  for await (const row of textRows(file)) {
    if (row instanceof DkvError) throw row;
    const { text, query } = referenceQueryInputSchema.safeParse(row).data ?? {};
    const found = text ?? query;
    if (typeof found !== 'string') {
      throw new DkvError('INPUT_INVALID', `${name}: query ${queries.length + 1} has no "text" and no "query".`);
    }
    queries.push(found);
  }
  return queries;
}
