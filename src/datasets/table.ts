/** Rows of a table, wherever it lies and in whichever form: Parquet, JSON lines, comma- or tab-separated text. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { tryParse } from '../base/parse.js';
import { shownAddress } from '../base/redact.js';
import { localFile } from '../hub/parts.js';
import { openDataRepository, openUrl } from '../hub/remote-data.js';
import { hubSettings } from '../hub/settings.js';
import type { OpenOptions } from './options.js';
import { openParquet, type ParquetFile } from './parquet.js';
import { isS3, openS3Input } from './s3-input.js';
import { expectForm, headerAdvice, kindOf, listed, TEXT_FILES, textRows } from './text-rows.js';
import { type Row, topColumn } from './values.js';

export type { Row } from './values.js';

export interface Table {
  /** The table's name in messages. */
  readonly name: string;
  /** The content's identity: a commit, an ETag, or the SHA-256 of a local file. */
  readonly revision: string;
  /** Names of the columns; of JSON lines, the fields of the first hundred. */
  readonly columns: readonly string[];
  /** The columns of floating-point numbers, which cannot be ids. */
  readonly floats: readonly string[];
  /** Advice for missing columns, as the end of a message. */
  readonly advice: string;
  /** The number of rows; undefined where only reading all of them would tell. */
  readonly rowCount?: number;
  /**
   * Rows with their numbers from 0, in order. Of Parquet only the named columns are read, one row group after another, as far as the
   * caller goes; of the other forms whole lines.
   * @param wanted when given, only these rows; row groups without any are not read
   * @throws DkvError INPUT_INVALID for the first row that cannot be read
   */
  rows(columns: readonly string[], wanted?: ReadonlySet<number>): AsyncGenerator<[number, Row]>;
  /** Gives the rows as `rows` does, with the error in place of a row that cannot be read. */
  readings(columns: readonly string[], wanted?: ReadonlySet<number>): AsyncGenerator<[number, Row | DkvError]>;
}

const HUB_FILE = /^hf:\/\/datasets\/([^/@]+\/[^/@]+)(?:@([^/]+))?\/(.+\.parquet)$/;

/** Tells whether `openTable` opens this place, by its name. */
export function isTable(place: string): boolean {
  return isAddress(place) || kindOf(place) !== undefined;
}

/** Tells whether the place is on the network, where only Parquet is read. */
export function isAddress(place: string): boolean {
  return /^(https?|hf):\/\//.test(place);
}

/**
 * @param place a local .parquet, .jsonl, .csv or .tsv file, `https://...` or `hf://datasets/org/name[@revision]/path.parquet`
 * @throws DkvError INPUT_INVALID, and for what is on the network what the hub's client throws
 */
export async function openTable(place: string, options: OpenOptions = {}): Promise<Table> {
  expectForm(place, options, isAddress(place) ? 'parquet' : kindOf(place));
  if (place.startsWith('hf://')) {
    const [, repository, revision, file] = HUB_FILE.exec(place) ?? [];
    if (!repository || !file) {
      throw new DkvError(
        'INPUT_INVALID',
        `${place}: expected hf://datasets/organisation/name/path.parquet, or .../name@revision/path.parquet.`,
      );
    }
    const found = await openDataRepository(
      repository,
      revision ?? options.revision ?? 'main',
      settingsOf(options),
      options,
    );
    return parquetTable(place, found.commit, [await openParquet(await found.open(file))], options);
  }
  if (isAddress(place)) {
    const { file, revision } = await openUrl(place, settingsOf(options), options);
    return parquetTable(shownAddress(place), revision, [await openParquet(file)], options);
  }
  const kind = kindOf(place);
  if (isS3(place) && kind === 'parquet') {
    const object = await openS3Input(place);
    return parquetTable(place, object.version, [await openParquet(object)], options);
  }
  if (!kind) throw new DkvError('INPUT_INVALID', `${place}: ${TEXT_FILES} and .parquet files are read.`);
  await expectFile(place);
  const revision = `sha256:${await fileDigest(place)}`;
  if (kind === 'parquet') {
    return parquetTable(place, revision, [await openParquet(await localFile(place))], options);
  }
  const columns = await firstColumns(place, options);
  async function* readings(
    _: readonly string[],
    wanted?: ReadonlySet<number>,
  ): AsyncGenerator<[number, Row | DkvError]> {
    let number = 0;
    for await (const row of watched(textRows(place, options), options)) {
      if (!wanted || wanted.has(number)) yield [number, row];
      number++;
    }
  }
  return {
    name: place,
    revision,
    columns,
    floats: [],
    advice: kind === 'jsonl' ? '' : headerAdvice(columns),
    rows: (names, wanted) => soundRows(readings(names, wanted)),
    readings,
  };
}

export interface HubSplit {
  readonly repository: string;
  /** A folder of the repository, where it has several sets of data. */
  readonly config?: string;
  readonly splits: readonly string[];
}

/** The Parquet files of a dataset's splits on the hub as one table, one split after another. */
export async function openHubSplit({ repository, config, splits }: HubSplit, options: OpenOptions): Promise<Table> {
  const found = await openDataRepository(repository, options.revision ?? 'main', settingsOf(options), options);
  const paths = splits.flatMap((split) => splitFiles(found.paths, config, split));
  if (paths.length === 0) {
    const parquet = found.paths.filter((file) => file.endsWith('.parquet'));
    throw new DkvError(
      'HUB_NOT_FOUND',
      `${repository} at ${found.commit.slice(0, 7)} has no Parquet files of ${[config, splits.join(', ')].filter(Boolean).join(', ')}; it has ${parquet.slice(0, 5).join(', ') || 'none at all'}.`,
    );
  }
  const files = [];
  for (const file of paths) files.push(await openParquet(await found.open(file)));
  return parquetTable(repository, found.commit, files, options);
}

/**
 * Which files hold a split: `config/split-00000-of-00002-digest.parquet`, without a config in `data/` or at the top, or
 * `config/split/0000.parquet` as the hub converts them.
 * @throws DkvError HUB_NOT_FOUND when some of the parts are missing, as after an interrupted download
 */
export function splitFiles(paths: readonly string[], config: string | undefined, split: string): string[] {
  const file = new RegExp(`^(${split}(-[^/]*)?|${split}/\\d+)\\.parquet$`);
  const folders = config ? [`${config}/`] : ['data/', 'default/', ''];
  const [found = []] = folders
    .map((folder) => paths.filter((name) => name.startsWith(folder) && file.test(name.slice(folder.length))))
    .filter((names) => names.length > 0);
  const parts = Number(/-of-(\d{5})/.exec(found[0] ?? '')?.[1] ?? found.length);
  if (found.length === parts) return [...found].sort();
  throw new DkvError(
    'HUB_NOT_FOUND',
    `Of ${parts} files of the split ${split} ${found.length} are there: ${found.join(', ')}.`,
  );
}

/** @throws DkvError INPUT_INVALID naming row and field */
export function checkedRow<T>(schema: z.ZodType<T>, { name }: Pick<Table, 'name'>, number: number, row: Row): T {
  const parsed = tryParse(schema, row);
  if (parsed.success) return parsed.data;
  throw new DkvError('INPUT_INVALID', `${name}, row ${number + 1}, ${parsed.problem}.`);
}

/**
 * @param needed columns, or parts of them
 * @throws DkvError INPUT_INVALID naming the columns that there are
 */
export function expectColumns(table: Pick<Table, 'name' | 'columns' | 'advice'>, needed: readonly string[]): void {
  const missing = needed.filter((column) => topColumn(table.columns, column) === undefined);
  if (missing.length > 0) throw missingColumns(table, `no column ${listed(missing)}`);
}

/** @param missing what is, such as `no column id` */
export function missingColumns(
  { name, columns, advice }: Pick<Table, 'name' | 'columns' | 'advice'>,
  missing: string,
): DkvError {
  return new DkvError('INPUT_INVALID', `${name} has ${missing}; it has ${listed(columns) || 'none'}.${advice}`);
}

/** An id is a text or a whole number. @throws DkvError INPUT_INVALID for a column of floating-point numbers */
export function expectNoFloats({ name, floats }: Pick<Table, 'name' | 'floats'>, columns: readonly string[]): void {
  const float = columns.find((column) => floats.includes(column));
  if (float === undefined) return;
  throw new DkvError(
    'INPUT_INVALID',
    `${name}: the column ${float} has floating-point numbers, which are no ids. Write it as text or as whole numbers.`,
  );
}

/** SHA-256 (hex) of a local file. */
async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(file)) hash.update(piece);
  return hash.digest('hex');
}

/** @throws DkvError INPUT_INVALID */
export async function expectFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new DkvError('INPUT_INVALID', `${file}: ${found ? 'not a file' : 'no such file'}.`);
}

function settingsOf(options: OpenOptions) {
  return options.hub ?? hubSettings();
}

function parquetTable(name: string, revision: string, files: readonly ParquetFile[], options: OpenOptions): Table {
  const table: Table = {
    name,
    revision,
    columns: files[0]!.columns,
    floats: files[0]!.floats,
    advice: '',
    rowCount: files.reduce((sum, { rowCount }) => sum + rowCount, 0),
    rows: (columns, wanted) => soundRows(table.readings(columns, wanted)),
    async *readings(columns, wanted) {
      expectColumns(table, columns);
      yield* watched(rowsOfFiles(files, columns, wanted), options);
    },
  };
  return table;
}

async function* rowsOfFiles(
  files: readonly ParquetFile[],
  columns: readonly string[],
  wanted?: ReadonlySet<number>,
): AsyncGenerator<[number, Row | DkvError]> {
  let start = 0;
  for (const file of files) {
    for await (const [number, row] of file.rows(columns, wanted, start)) yield [start + number, row];
    start += file.rowCount;
  }
}

const REPORT_EVERY_ROWS = 1000;

/** Passes rows on, reports their number, and stops when the caller says so. */
async function* watched<T>(rows: AsyncIterable<T>, { signal, onRows }: OpenOptions): AsyncGenerator<T> {
  let read = 0;
  for await (const row of rows) {
    if (signal?.aborted) throw new DkvError('CANCELLED', 'Reading the dataset was stopped.');
    if (++read % REPORT_EVERY_ROWS === 0) onRows?.(read);
    yield row;
  }
}

/** @throws DkvError the first row that cannot be read */
async function* soundRows(rows: AsyncIterable<[number, Row | DkvError]>): AsyncGenerator<[number, Row]> {
  for await (const [number, row] of rows) {
    if (row instanceof DkvError) throw row;
    yield [number, row];
  }
}

const ROWS_FOR_COLUMNS = 100;

/**
 * Reads the header, or for JSON lines the columns of the first rows.
 * @throws DkvError the first row that cannot be read
 */
async function firstColumns(file: string, options: OpenOptions): Promise<string[]> {
  const columns = new Set<string>();
  const add = (names: readonly string[]) => {
    for (const name of names) columns.add(name);
  };
  let rows = 0;
  for await (const row of textRows(file, options, add)) {
    if (row instanceof DkvError) throw row;
    add(Object.keys(row));
    if (++rows === ROWS_FOR_COLUMNS || kindOf(file) !== 'jsonl') break;
  }
  return [...columns];
}
