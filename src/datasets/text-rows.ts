/**
 * Rows of JSON lines, comma- or tab-separated text, as a stream. A row that cannot be read is given as the error that says why, in its
 * place: whoever reads decides whether to go on. What is wrong with the whole is thrown once.
 */
import type { Readable } from 'node:stream';
import { DkvError, messageOf } from '../base/errors.js';
import { parseJson } from '../base/json.js';
import { type Line, type LineOptions, openFile, textLines } from '../base/text-input.js';
import type { TextForm } from './options.js';
import { RecordParser } from './record-parser.js';
import type { Row } from './values.js';

export type FileKind = 'jsonl' | 'csv' | 'tsv' | 'parquet';

/** The kind of a file by its name alone, compressed by gzip or not; undefined where the name does not tell. */
export function kindOf(place: string): FileKind | undefined {
  const [, text, parquet] = /\.(?:(jsonl|ndjson|csv|tsv)(?:\.gz)?|(parquet))$/i.exec(place) ?? [];
  if (parquet) return 'parquet';
  return text?.toLowerCase() === 'ndjson' ? 'jsonl' : (text?.toLowerCase() as FileKind | undefined);
}

/** The names of text files, for messages about a name that does not tell its kind. */
export const TEXT_FILES = '.jsonl, .csv and .tsv (also with .gz behind it)';

/**
 * @param file a name of which `kindOf` knows that it is text
 * @param onHeader called with the columns of separated text before its first row; what it throws ends the rows
 * @throws DkvError INPUT_INVALID for what is wrong with the whole file
 */
export async function* textRows(
  file: string,
  form: TextForm = {},
  onHeader: (columns: readonly string[]) => void = () => undefined,
): AsyncGenerator<Row | DkvError> {
  const input = await openFile(file);
  if (kindOf(file) === 'jsonl') yield* jsonRows(input, file);
  else yield* separatedRows(input, file, kindOf(file) === 'csv', form, onHeader);
}

/**
 * Counts the rows of a text file by reading it.
 * @param most where counting ends
 * @returns undefined where the file cannot be read to its end, which whoever reads its rows will say, and when `signal` is aborted
 */
export async function countTextRows(
  file: string,
  form: TextForm,
  most: number,
  signal?: AbortSignal,
): Promise<number | undefined> {
  let count = 0;
  try {
    for await (const _ of textRows(file, form)) {
      if (signal?.aborted) return undefined;
      if (++count >= most) break;
    }
  } catch (error) {
    if (error instanceof DkvError) return undefined;
    throw error;
  }
  return count;
}

/**
 * Refuses a separator, a quoting or a header for a file that is not separated text, since it would not do what the user expects.
 * @throws DkvError INPUT_INVALID
 */
export function expectForm(place: string, { separator, quoting, header }: TextForm, kind: FileKind | undefined): void {
  const given = Object.entries({ separator, quoting, header }).flatMap(([name, value]) => (value ? [name] : []));
  if (given.length === 0 || kind === 'csv' || kind === 'tsv') return;
  throw new DkvError(
    'INPUT_INVALID',
    `${place}: ${given.join(', ')} can be said of .csv and .tsv files only. Leave it out, or name the file so.`,
  );
}

/** A line of JSON lines that is not blank. */
export interface JsonLine {
  /** The line's number, counted from 1 with blank lines. */
  readonly number: number;
  /** The object on the line, or the error that says why there is none. */
  readonly content: Row | DkvError;
}

/** The number of lines at the beginning that may fail to be JSON before the whole file is taken for something else. */
const FOREIGN_LINES = 100;

/** @throws DkvError INPUT_INVALID where there is another form than JSON lines altogether */
export async function* jsonRows(input: Readable, name: string, options?: LineOptions): AsyncGenerator<Row | DkvError> {
  const foreign: DkvError[] = [];
  let isJson = false;
  for await (const { content } of jsonLines(input, name, options)) {
    if (isJson) yield content;
    else if (content instanceof DkvError) {
      if (foreign.push(content) === FOREIGN_LINES) throw foreignForm(name, foreign);
    } else {
      isJson = true;
      yield* foreign;
      yield content;
    }
  }
  if (!isJson && foreign.length > 0) throw foreignForm(name, foreign);
}

function foreignForm(name: string, lines: readonly DkvError[]): DkvError {
  return new DkvError(
    'INPUT_INVALID',
    `${name}: JSON lines were expected, an object a line, and none of the first ${lines.length} is one. ${lines[0]!.message}`,
  );
}

/**
 * @param name of the input, for messages
 * @throws DkvError INPUT_INVALID for a JSON array, and an object over several lines
 */
export async function* jsonLines(input: Readable, name: string, options?: LineOptions): AsyncGenerator<JsonLine> {
  let isFirst = true;
  for await (const { number, content } of textLines(input, name, options)) {
    if (content instanceof DkvError) {
      yield { number, content };
      continue;
    }
    if (content.trim() === '') continue;
    if (isFirst) expectJsonLine(content, name);
    isFirst = false;
    yield { number, content: objectOf(content, `${name}, line ${number}`) };
  }
}

/** @throws DkvError INPUT_INVALID */
function expectJsonLine(first: string, name: string): void {
  const text = first.trim();
  const what = text.startsWith('[') ? 'a JSON array' : text === '{' ? 'JSON over several lines' : undefined;
  if (!what) return;
  const filter = text.startsWith('[') ? "'.[]'" : '.';
  throw new DkvError(
    'INPUT_INVALID',
    `${name}: JSON lines were expected, an object a line, and this is ${what}. Convert it: jq -c ${filter} FILE > FILE.jsonl.`,
  );
}

function objectOf(text: string, where: string): Row | DkvError {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    const lone = /\r[^\r]*\S/.test(text)
      ? ' Its lines end in carriage returns alone: convert them with tr "\\r" "\\n".'
      : '';
    return new DkvError('INPUT_INVALID', `${where}: not JSON: ${messageOf(error)}.${lone}`);
  }
  if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
    return value as Row;
  }
  return new DkvError('INPUT_INVALID', `${where}: a JSON object was expected, ${text.trim().slice(0, 40)} found.`);
}

/** What else may separate fields, for the advice about a header. */
const SEPARATORS: Readonly<Record<string, string>> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'pipe' };

/**
 * @param isComma commas and quotes as in RFC 4180 unless the form says otherwise; else tabs and no quotes
 * @throws DkvError INPUT_INVALID for a header that cannot be one
 */
async function* separatedRows(
  input: Readable,
  name: string,
  isComma: boolean,
  { separator, quoting, header }: TextForm,
  onHeader: (columns: readonly string[]) => void,
): AsyncGenerator<Row | DkvError> {
  let parser: RecordParser | undefined;
  let columns = header;
  if (header) onHeader(header);
  let isFirst = true;
  for await (const line of textLines(input, name)) {
    if (isFirst) expectLineFeeds(line, name);
    isFirst = false;
    // WANDS and hetPQA are separated by tabs though they are called .csv: a header with tabs and no comma says so.
    parser ??= new RecordParser({
      separator: separator ?? (isComma && !isTabbed(line) ? ',' : '\t'),
      quotes: (quoting ?? (isComma ? 'csv' : 'none')) === 'csv',
      name,
    });
    const record = parser.take(line);
    if (!record) continue;
    if (record.fields instanceof DkvError) {
      if (!columns) throw record.fields;
      yield record.fields;
    } else if (columns) yield rowOf(columns, record.fields, `${name}, line ${record.line}`);
    else {
      columns = columnsOf(record.fields, name);
      onHeader(columns);
    }
  }
  const unfinished = parser?.end();
  if (unfinished && !columns) throw unfinished;
  if (unfinished) yield unfinished;
}

function isTabbed({ content }: Line): boolean {
  return typeof content === 'string' && content.includes('\t') && !content.includes(',');
}

/** @throws DkvError INPUT_INVALID */
function expectLineFeeds({ content }: Line, name: string): void {
  if (typeof content !== 'string' || !/\r[^\r]*\S/.test(content)) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${name}: its lines end in carriage returns alone. Convert it: tr "\\r" "\\n" < FILE > CONVERTED.`,
  );
}

/** Columns without a name, such as a data frame's index, are called by their number. @throws DkvError INPUT_INVALID */
function columnsOf(fields: readonly string[], name: string): string[] {
  const columns = fields.map((field, at) => (field.trim() === '' ? `column ${at + 1}` : field));
  expectDistinctColumns(columns, name);
  return columns;
}

/** @throws DkvError INPUT_INVALID */
export function expectDistinctColumns(columns: readonly string[], name: string): void {
  const twice = columns.find((column, at) => columns.indexOf(column) !== at);
  if (twice === undefined) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${name}: two columns are called ${JSON.stringify(twice)}; it has ${listed(columns)}. Name one of them otherwise.`,
  );
}

function rowOf(columns: readonly string[], fields: readonly string[], where: string): Row | DkvError {
  if (fields.length !== columns.length) {
    return new DkvError(
      'INPUT_INVALID',
      `${where}: ${fields.length} fields, where there are ${columns.length} columns.`,
    );
  }
  return Object.fromEntries(columns.map((column, at) => [column, fields[at]]));
}

/** Lists columns for messages, with quotes so that blanks at either end of a name are seen. */
export function listed(columns: readonly string[]): string {
  return columns
    .map((column) => (/^[\w.@ -]*\w$/.test(column) && !/^ /.test(column) ? column : JSON.stringify(column)))
    .join(', ');
}

/** Advice for a header in which columns are missing: another separator, or a header of the user's own. */
export function headerAdvice(columns: readonly string[]): string {
  const [only = ''] = columns;
  const other = Object.keys(SEPARATORS).find((separator) => only.includes(separator));
  if (columns.length === 1 && other) {
    return ` Its fields seem to be separated by a ${SEPARATORS[other]}: give --separator ${SEPARATORS[other]}.`;
  }
  return ' If its first line is no header, name the columns with --header.';
}
