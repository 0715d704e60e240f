/** Reads documents as a stream of any length, to be primed. A row that is not a document is given as the error that says why, in its place. */
import type { Readable } from 'node:stream';
import { DkvError } from '../base/errors.js';
import { beirDocument, beirDocumentSchema } from './beir.js';
import { type Columns, type OpenOptions, ROLES } from './options.js';
import { isS3, openS3Input } from './s3-input.js';
import { expectFile, expectNoFloats, isAddress, isTable, missingColumns, openTable, type Table } from './table.js';
import { countTextRows, expectForm, headerAdvice, jsonRows, kindOf, TEXT_FILES, textRows } from './text-rows.js';
import { type Fields, idOf, jsonOf, type Row, textOf, topColumn, valueAt } from './values.js';

export interface DocumentRow {
  /** The document's id; empty where the row has none. */
  readonly id: string;
  /** The document's text; empty where the row has none. */
  readonly text: string;
  readonly title?: string;
  /** Every other field of the row. */
  readonly fields: Fields;
}

export interface DocumentStream {
  /** Counts the rows up to `most`, of a text file by reading it once more; undefined where only going through `rows` would tell. */
  countRows(most: number): Promise<number | undefined>;
  /** The rows. They can be gone through once. */
  readonly rows: AsyncIterable<DocumentRow | DkvError>;
}

/** The columns in which a role is looked for when none is named. */
const USUAL = { id: ['id', '_id'], document: ['text', 'document'], title: ['title'] } as const;
type DocumentRole = keyof typeof USUAL;
const NEEDED = ['id', 'document'] as const;

/**
 * Rows in BEIR's form (`_id`, `title`, `text`) are read as BEIR's. Of a file the beginning is read at once, so that what is wrong with
 * all of it is said now.
 * @param input a .jsonl, .csv, .tsv or .parquet file, an address of a Parquet file, s3://bucket/key of JSON lines or Parquet, or a stream of JSON lines
 * @throws DkvError INPUT_INVALID, and for what is on the network what the hub's client throws
 */
export async function openDocuments(input: string | Readable, options: OpenOptions): Promise<DocumentStream> {
  const { columns = {}, signal, onNotice = () => undefined } = options;
  const unknown = ROLES.filter((role) => columns[role] !== undefined && !(role in USUAL));
  if (unknown.length > 0) {
    throw new DkvError(
      'INPUT_INVALID',
      `Documents have no ${unknown.join(', ')}: only ${Object.keys(USUAL).join(', ')} can be named.`,
    );
  }
  const streamed = (stream: Readable, name: string): AsyncGenerator<DocumentRow | DkvError> => {
    expectForm(name, options, 'jsonl');
    return documentsOf(shapedRows(jsonRows(stream, name, { signal }), name, columns, onNotice), columns);
  };
  if (typeof input !== 'string') {
    return { countRows: async () => undefined, rows: streamed(input, 'standard input') };
  }
  const kind = kindOf(input);
  if (isS3(input) && kind !== 'parquet') {
    if (kind !== 'jsonl') {
      throw new DkvError(
        'INPUT_INVALID',
        `${input}: of a bucket .jsonl (also with .gz behind it) and .parquet are read.`,
      );
    }
    const object = await openS3Input(input);
    return { countRows: async () => undefined, rows: await begun(streamed(object.stream(signal), input)) };
  }
  if (!isTable(input)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${input}: documents are read from ${TEXT_FILES} and .parquet files, from hf:// and https:// addresses of Parquet files, from s3:// addresses of Parquet and JSON lines, and from - as JSON lines.`,
    );
  }
  // No digest of a text file is needed here, so that it is read once only.
  if (!isAddress(input) && kind !== 'parquet') {
    await expectFile(input);
    expectForm(input, options, kind);
    const rows = textRows(input, options, (header) =>
      expectRoles({ name: input, columns: header, advice: headerAdvice(header), floats: [] }, columns),
    );
    return {
      countRows: (most) => countTextRows(input, options, most, signal),
      rows: await begun(documentsOf(shapedRows(rows, input, columns, onNotice), columns)),
    };
  }
  const table = await openTable(input, options);
  expectRoles(table, columns);
  const rows = withoutNumbers(table.readings(table.columns));
  return {
    countRows: async (most) => (table.rowCount === undefined ? undefined : Math.min(table.rowCount, most)),
    rows: await begun(documentsOf(shapedRows(rows, table.name, columns, onNotice), columns)),
  };
}

/** @throws DkvError INPUT_INVALID */
function expectRoles(table: Pick<Table, 'name' | 'columns' | 'floats' | 'advice'>, given: Columns): void {
  const missing: string[] = [];
  for (const role of Object.keys(USUAL) as DocumentRole[]) {
    const column = given[role];
    const names: readonly string[] = column === undefined ? USUAL[role] : [column];
    const found = names.find((name) => topColumn(table.columns, name) !== undefined);
    if (!found && (column !== undefined || role !== 'title')) missing.push(missingRole(role, names));
    if (role === 'id' && found) expectNoFloats(table, [found]);
  }
  if (missing.length > 0) throw missingColumns(table, missing.join(' and '));
}

function missingRole(role: DocumentRole, names: readonly string[]): string {
  return `no column ${names.map((name) => JSON.stringify(name)).join(' or ')} for the ${role} (say which with --columns ${role}=COLUMN)`;
}

/** The number of rows at the beginning that may lack a needed column before all rows are taken to lack it. */
const SHAPELESS_ROWS = 100;

/**
 * A header is not all: JSON lines have none, and a name may lead into structures. Where the id or the text is in none of the first rows,
 * the columns are wrong, not the rows. A title may be rare: of one that was named and is not seen there is only a notice.
 * @throws DkvError INPUT_INVALID
 */
async function* shapedRows(
  rows: AsyncIterable<Row | DkvError>,
  name: string,
  columns: Columns,
  onNotice: (notice: string) => void,
): AsyncGenerator<Row | DkvError> {
  const lacking = new Set<DocumentRole>(columns.title === undefined ? NEEDED : [...NEEDED, 'title']);
  const found = new Set<string>();
  const held: (Row | DkvError)[] = [];
  let read = 0;
  const isShaped = () => NEEDED.every((role) => !lacking.has(role));
  const look = (row: Row) => {
    for (const column of namesIn(row)) found.add(column);
    for (const role of lacking) {
      if (namesOf(role, columns).some((column) => valueAt(row, column) !== undefined)) lacking.delete(role);
    }
  };
  const conclude = () => {
    if (found.size === 0 || lacking.size === 0) return;
    const missing = [...lacking].map((role) => missingRole(role, namesOf(role, columns))).join(' and ');
    const error = missingColumns({ name, columns: [...found], advice: '' }, `${missing} in the first ${read} rows`);
    if (!isShaped()) throw error;
    onNotice(error.message);
  };
  for await (const row of rows) {
    if (read < SHAPELESS_ROWS) {
      read++;
      if (!(row instanceof DkvError)) look(row);
      if (read === SHAPELESS_ROWS) conclude();
    }
    if (isShaped() || (read === SHAPELESS_ROWS && found.size === 0)) {
      yield* held.splice(0);
      yield row;
    } else held.push(row);
  }
  if (read < SHAPELESS_ROWS) conclude();
  yield* held;
}

/** Lists the row's columns, and the fields of structures by the names that lead to them. */
function namesIn(row: Row): string[] {
  return Object.entries(row).flatMap(([name, value]) => {
    const isStructure =
      typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    return isStructure ? Object.keys(value).map((field) => `${name}.${field}`) : name;
  });
}

function namesOf(role: DocumentRole, columns: Columns): readonly string[] {
  const column = columns[role];
  return column === undefined ? USUAL[role] : [column];
}

/**
 * Reads the first item ahead and then gives all items.
 * @throws what reading it throws
 */
async function begun<T>(items: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await items.next();
  return (async function* () {
    try {
      if (!first.done) yield first.value;
      yield* items;
    } finally {
      await items.return(undefined);
    }
  })();
}

async function* withoutNumbers(rows: AsyncIterable<[number, Row | DkvError]>): AsyncGenerator<Row | DkvError> {
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
    columns[role] ?? USUAL[role].find((name) => Object.hasOwn(row, name)) ?? USUAL[role][0];
  const names = { id: columnOf('id'), document: columnOf('document'), title: columnOf('title') };
  const taken = new Set<string>(Object.values(names));
  const fields = jsonOf(Object.fromEntries(Object.entries(row).filter(([name]) => !taken.has(name))));
  if (names.id === '_id' && names.document === 'text' && Object.keys(columns).length === 0) {
    const parsed = beirDocumentSchema.safeParse(row);
    if (parsed.success) {
      const { id, document, title } = beirDocument(parsed.data);
      return { id, text: document, ...(title && { title }), fields };
    }
  }
  const value = (role: DocumentRole) => valueAt(row, names[role]);
  try {
    const title = textOf(value('title'), names.title, 'title').trim();
    return {
      id: idOf(value('id'), names.id),
      text: textOf(value('document'), names.document, 'document'),
      ...(title && { title }),
      fields,
    };
  } catch (error) {
    if (error instanceof DkvError) return error;
    throw error;
  }
}
