/** Queries as JSON lines, BEIR's form: `_id` (or `id`) and `text`, with an `answer` where there is one. */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { checkedRow, expectNoFloats, missingColumns, type Table } from './table.js';
import { identifier } from './values.js';

export interface QueryRow {
  readonly id: string;
  readonly text: string;
  readonly answer?: string;
}

const querySchema = z
  .object({ _id: identifier.optional(), id: identifier.optional(), text: z.string(), answer: z.string().nullish() })
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
