/** Documents alone, in any number, as a stream: what is primed. Rows that are none are given as the error that says why, in their place. */
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import { DkvError } from '../errors.js';
import { beirDocument, beirDocumentSchema } from './beir.js';
import { valueAt } from './mapped.js';
import type { Columns, OpenOptions, Role } from './options.js';
import { expectColumns, expectFile, isTable, openTable } from './table.js';
import { jsonRows, type Row, textRows } from './text-rows.js';

type Fields = Record<string, z.infer<ReturnType<typeof z.json>>>;

export interface DocumentRow {
  /** Empty where the row has none. */
  readonly id: string;
  /** Likewise. */
  readonly text: string;
  readonly title?: string;
  /** Everything else that the row says. */
  readonly fields: Fields;
}

export interface DocumentStream {
  /** Undefined where only reading all of it would tell. */
  readonly rowCount?: number;
  /** To be gone through once. */
  readonly rows: AsyncIterable<DocumentRow | DkvError>;
}

/** Where a role is looked for when no column is named. */
const USUAL = { id: ['id', '_id'], document: ['text', 'document'], title: ['title'] } as const;
type DocumentRole = keyof typeof USUAL;

/**
 * Rows in BEIR's form (`_id`, `title`, `text`) are read as BEIR's.
 * @param input a .jsonl, .csv, .tsv or .parquet file, an address of a Parquet file, or a stream of JSON lines
 * @throws DkvError INPUT_INVALID, and for what is on the network what the hub's client throws
 */
export async function openDocuments(input: string | Readable, options: OpenOptions): Promise<DocumentStream> {
  const { columns = {}, signal } = options;
  const unknown = (Object.keys(columns) as Role[]).filter((role) => !(role in USUAL));
  if (unknown.length > 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `Documents have no ${unknown.join(', ')}: only ${Object.keys(USUAL).join(', ')} can be named.`,
    );
  }
  if (typeof input !== 'string') return { rows: documentsOf(jsonRows(input, 'standard input', signal), columns) };
  if (!isTable(input)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${input}: documents are read from .jsonl, .csv, .tsv and .parquet files, from hf:// and https:// addresses of Parquet files, and from - as JSON lines.`,
    );
  }
  // No digest of a text file is needed here, so that it is read once only.
  if (/\.(jsonl|csv|tsv)$/.test(input) && !input.includes('://')) {
    await expectFile(input);
    return { rows: documentsOf(textRows(input), columns) };
  }
  const table = await openTable(input, options);
  expectColumns(
    table,
    Object.values(columns).map((column) => column.split('.')[0]!),
  );
  return {
    ...(table.rowCount !== undefined && { rowCount: table.rowCount }),
    rows: documentsOf(withoutNumbers(table.rows(table.columns)), columns),
  };
}

async function* withoutNumbers(rows: AsyncIterable<[number, Row]>): AsyncGenerator<Row> {
  for await (const [, row] of rows) yield row;
}

async function* documentsOf(
  rows: AsyncIterable<Row | DkvError>,
  columns: Columns,
): AsyncGenerator<DocumentRow | DkvError> {
  for await (const row of rows) yield row instanceof DkvError ? row : documentOf(row, columns);
}

function documentOf(row: Row, columns: Columns): DocumentRow | DkvError {
  const columnOf = (role: DocumentRole) =>
    columns[role] ?? USUAL[role].find((name) => row[name] !== undefined) ?? USUAL[role][0];
  const names = { id: columnOf('id'), document: columnOf('document'), title: columnOf('title') };
  const taken = new Set(Object.values(names));
  const fields = jsonOf(Object.fromEntries(Object.entries(row).filter(([name]) => !taken.has(name))));
  if (names.id === '_id' && names.document === 'text' && Object.keys(columns).length === 0) {
    const parsed = beirDocumentSchema.safeParse(row);
    if (parsed.success) {
      const { id, document, title } = beirDocument(parsed.data);
      return { id, text: document, ...(title && { title }), fields };
    }
  }
  try {
    const title = textAt(row, names.title).trim();
    return { id: textAt(row, names.id), text: textAt(row, names.document), ...(title && { title }), fields };
  } catch (error) {
    if (error instanceof DkvError) return error;
    throw error;
  }
}

/** @throws DkvError INPUT_INVALID */
function textAt(row: Row, column: string): string {
  const value = valueAt(row, column);
  if (value === null || value === undefined) return '';
  if (typeof value !== 'object') return String(value);
  throw new DkvError(
    'INPUT_INVALID',
    `${column} is a ${Array.isArray(value) ? 'list' : 'structure'}, a text was expected. Say which part with --columns, such as document=${column}.${Array.isArray(value) ? '0' : 'FIELD'}.`,
  );
}

/** Parquet also has large integers, times and bytes. */
function jsonOf(fields: Row): Fields {
  const plain = (_: string, value: unknown) => {
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    return value instanceof Uint8Array ? undefined : value;
  };
  return JSON.parse(JSON.stringify(fields, plain)) as Fields;
}
