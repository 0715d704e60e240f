/** Documents alone, in any number, as a stream: what is primed. Rows that are none are given as the error that says why, in their place. */
import type { Readable } from 'node:stream';
import { DkvError } from '../errors.js';
import { beirDocument, beirDocumentSchema } from './beir.js';
import { type Columns, type OpenOptions, ROLES } from './options.js';
import { expectFile, expectNoFloats, isAddress, isTable, missingColumns, openTable, type Table } from './table.js';
import { expectForm, headerAdvice, jsonRows, kindOf, TEXT_FILES, textRows } from './text-rows.js';
import { type Fields, idOf, jsonOf, type Row, textOf, topColumn, valueAt } from './values.js';

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
const NEEDED = ['id', 'document'] as const;

/**
 * Rows in BEIR's form (`_id`, `title`, `text`) are read as BEIR's. Of a file the beginning is read at once, so that what is wrong with
 * all of it is said now.
 * @param input a .jsonl, .csv, .tsv or .parquet file, an address of a Parquet file, or a stream of JSON lines
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
  if (typeof input !== 'string') {
    const name = 'standard input';
    expectForm(name, options, 'jsonl');
    const rows = jsonRows(input, name, { signal });
    return { rows: documentsOf(shapedRows(rows, name, columns, onNotice), columns) };
  }
  const kind = kindOf(input);
  if (!isTable(input)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${input}: documents are read from ${TEXT_FILES} and .parquet files, from hf:// and https:// addresses of Parquet files, and from - as JSON lines.`,
    );
  }
  // No digest of a text file is needed here, so that it is read once only.
  if (!isAddress(input) && kind !== 'parquet') {
    await expectFile(input);
    expectForm(input, options, kind);
    const rows = textRows(input, options, (header) =>
      expectRoles({ name: input, columns: header, advice: headerAdvice(header), floats: [] }, columns),
    );
    const shaped = kind === 'jsonl' ? shapedRows(rows, input, columns, onNotice) : rows;
    return { rows: await begun(documentsOf(shaped, columns)) };
  }
  const table = await openTable(input, options);
  expectRoles(table, columns);
  return {
    ...(table.rowCount !== undefined && { rowCount: table.rowCount }),
    rows: documentsOf(withoutNumbers(table.readings(table.columns)), columns),
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

/** Rows at the beginning that may lack a needed column until all are taken to lack it. */
const SHAPELESS_ROWS = 100;

/**
 * JSON lines have no header: where the id or the text is in none of the first rows, the columns are wrong, not the rows. A title may be
 * rare: of one that was named and is not seen there is only a notice.
 * @throws DkvError INPUT_INVALID
 */
async function* shapedRows(
  rows: AsyncIterable<Row | DkvError>,
  name: string,
  columns: Columns,
  onNotice: (notice: string) => void,
): AsyncGenerator<Row | DkvError> {
  const { title, ...needed } = columns;
  const found = new Set<string>();
  const isSeen = (role: DocumentRole) => namesOf(role, columns).some((column) => topColumn([...found], column));
  const held: (Row | DkvError)[] = [];
  let read = 0;
  let isShaped = false;
  const conclude = () => {
    const seen = [...found];
    if (!isShaped && seen.length > 0) expectRoles({ name, columns: seen, floats: [], advice: '' }, needed);
    if (title !== undefined && seen.length > 0 && !isSeen('title')) {
      onNotice(`${name}: no column ${JSON.stringify(title)} for the title in the first ${read} rows.`);
    }
    isShaped = true;
  };
  for await (const row of rows) {
    if (read < SHAPELESS_ROWS) {
      read++;
      if (!(row instanceof DkvError)) for (const column of Object.keys(row)) found.add(column);
      isShaped ||= NEEDED.every(isSeen);
      if (read === SHAPELESS_ROWS) conclude();
    }
    if (isShaped) {
      yield* held.splice(0);
      yield row;
    } else held.push(row);
  }
  if (read < SHAPELESS_ROWS) conclude();
  yield* held;
}

function namesOf(role: DocumentRole, columns: Columns): readonly string[] {
  const column = columns[role];
  return column === undefined ? USUAL[role] : [column];
}

/** The same, with the first item read. @throws what reading it throws */
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
