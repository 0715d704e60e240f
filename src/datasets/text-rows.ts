/**
 * Rows of JSON lines, comma- or tab-separated text, as a stream. A row that cannot be read is given as the error that says why, in its
 * place: whoever reads decides whether to go on.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { DkvError, messageOf } from '../errors.js';

export type Row = Readonly<Record<string, unknown>>;

/** @param file a .jsonl, .csv or .tsv file */
export function textRows(file: string): AsyncGenerator<Row | DkvError> {
  return file.endsWith('.jsonl') ? jsonRows(createReadStream(file, 'utf8'), file) : separatedRows(file);
}

/**
 * @param name of the input, for messages
 * @param signal ends the rows where they are, also while the next one is waited for
 */
export async function* jsonRows(input: Readable, name: string, signal?: AbortSignal): AsyncGenerator<Row | DkvError> {
  let number = 0;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY, ...(signal && { signal }) });
  for await (const line of lines) {
    number++;
    // Some editors begin a file with a byte order mark.
    const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (text.trim() === '') continue;
    yield objectOf(text, `${name}, line ${number}`);
  }
}

function objectOf(text: string, where: string): Row | DkvError {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return new DkvError('INPUT_INVALID', `${where}: not JSON: ${messageOf(error)}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Row;
  return new DkvError('INPUT_INVALID', `${where}: a JSON object was expected, ${text.slice(0, 40)} found.`);
}

async function* separatedRows(file: string): AsyncGenerator<Row | DkvError> {
  const tabs = !file.endsWith('.csv') || (await isTabSeparated(file));
  const skipped: CsvError[] = [];
  const parser = parse({
    columns: true,
    bom: true,
    delimiter: tabs ? '\t' : ',',
    // Tab-separated files leave quotes inside fields as they are (36" bed); in comma-separated ones such a quote is an error.
    relax_quotes: tabs,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) skipped.push(error);
    },
  });
  // An error of either side arrives at the reader of the parser.
  pipeline(createReadStream(file), parser, () => undefined);
  let given = 0;
  // The parser is ahead of its reader: an error waits until the sound rows before it were given.
  const due = () => skipped.splice(0, skipped.filter(({ records }) => (records as number) <= given).length);
  const errorOf = ({ message }: CsvError) => new DkvError('INPUT_INVALID', `${file}: ${message}`);
  try {
    for await (const row of parser as AsyncIterable<Row>) {
      yield* due().map(errorOf);
      yield row;
      given++;
    }
  } catch (error) {
    if (error instanceof CsvError) throw errorOf(error);
    throw error;
  }
  yield* skipped.map(errorOf);
}

/** WANDS and hetPQA are separated by tabs though they are called .csv: a header with tabs and no comma says so. */
async function isTabSeparated(file: string): Promise<boolean> {
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    return line.includes('\t') && !line.includes(',');
  }
  return false;
}
