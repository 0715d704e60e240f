/** Parquet: the named columns, one row group after another, as far as somebody asks. Knows no dataset and no network. */
import {
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaElement,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DkvError, messageOf } from '../base/errors.js';
import { exactNumber, parseJson } from '../base/json.js';
import { otherForm } from '../base/text-input.js';
import type { PartialFile } from '../hub/parts.js';
import { expectDistinctColumns } from './text-rows.js';
import type { Row } from './values.js';

export interface ParquetFile {
  readonly rowCount: number;
  /** The columns of the top level. */
  readonly columns: readonly string[];
  /** The columns of floating-point numbers, which cannot be ids. */
  readonly floats: readonly string[];
  /**
   * Rows with their numbers from 0; the error that says why in place of one with a text that is no UTF-8.
   * @param wanted only these, counted from `-first`; row groups without any are passed over
   */
  rows(
    columns: readonly string[],
    wanted?: ReadonlySet<number>,
    first?: number,
  ): AsyncGenerator<[number, Row | DkvError]>;
}

/** The end of a file, where its description is: enough for most; what is missing is read afterwards. */
const FOOTER_BYTES = 1 << 16;

/** @throws DkvError INPUT_INVALID for a file that is no Parquet or damaged, and what reading the file throws */
export async function openParquet(file: PartialFile): Promise<ParquetFile> {
  const buffer = {
    byteLength: file.sizeBytes,
    async slice(start: number, end: number = file.sizeBytes): Promise<ArrayBuffer> {
      const bytes = await file.read(start, end);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
  const found = await readable(file, parquetMetadataAsync(buffer, { initialFetchSize: FOOTER_BYTES }));
  const elements = parquetSchema(found).children.map(({ element }) => element);
  const columns = elements.map(({ name }) => name);
  expectDistinctColumns(columns, file.name);
  const { metadata, decimals } = withoutDecimals(found, elements, file);
  return {
    rowCount: Number(metadata.num_rows),
    columns,
    floats: elements.filter(isFloat).map(({ name }) => name),
    async *rows(columns, wanted, first = 0) {
      let rowStart = 0;
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows);
        if (!wanted || hasWanted(wanted, first + rowStart, first + rowEnd)) {
          const texts = new Texts();
          const parsers = { stringFromBytes: texts.decode, jsonFromBytes: texts.parse };
          const request = { file: buffer, metadata, columns: [...columns], rowStart, rowEnd, compressors, parsers };
          const rows: Record<string, unknown>[] = await readable(file, parquetReadObjects(request));
          for (const [i, row] of rows.entries()) {
            if (wanted && !wanted.has(first + rowStart + i)) continue;
            for (const [name, form] of decimals) if (name in row) row[name] = decimal(row[name], form);
            const reason = texts.bad > 0 ? badText(row) : undefined;
            const where = `${file.name}, row ${rowStart + i + 1}`;
            yield [rowStart + i, reason === undefined ? row : new DkvError('INPUT_INVALID', `${where}, ${reason}`)];
          }
        }
        rowStart = rowEnd;
      }
    },
  };
}

/** Bytes that are not text. They stand in the text's place until the row is known. */
class BadText {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Decodes the texts of one row group. */
class Texts {
  /** The number of texts that could not be read. */
  bad = 0;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  readonly decode = (bytes: Uint8Array | undefined) => this.#read(bytes, (text) => text);
  readonly parse = (bytes: Uint8Array | undefined) => this.#read(bytes, parseJson);

  #read(bytes: Uint8Array | undefined, use: (text: string) => unknown): unknown {
    if (bytes === undefined) return undefined;
    let text: string;
    try {
      text = this.#decoder.decode(bytes);
    } catch {
      this.bad++;
      return new BadText('bytes that are no UTF-8.');
    }
    try {
      return use(text);
    } catch (error) {
      this.bad++;
      return new BadText(`not JSON: ${messageOf(error)}.`);
    }
  }
}

function badText(value: unknown, path = ''): string | undefined {
  if (value instanceof BadText) return `${path}: ${value.reason}`;
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const reason = badText(item, path === '' ? key : `${path}.${key}`);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isFloat({ type, logical_type }: SchemaElement): boolean {
  return type === 'FLOAT' || type === 'DOUBLE' || logical_type?.type === 'FLOAT16';
}

interface Decimals {
  /** The number of digits after the decimal point. */
  readonly scale: number;
  /** True for bytes of any length, which the library has multiplied already. */
  readonly isMultiplied: boolean;
}

/** The number of decimal digits that a float64 holds exactly in every integer. */
const FLOAT64_DIGITS = 15;

/**
 * The library multiplies decimals as floating-point numbers, which gives 24.990000000000002 for 24.99 and rounds long ones: it is told
 * that they are the integers as which they are stored.
 * @throws DkvError INPUT_INVALID for decimals that even so would be rounded
 */
function withoutDecimals(
  metadata: FileMetaData,
  columns: readonly SchemaElement[],
  file: PartialFile,
): { metadata: FileMetaData; decimals: ReadonlyMap<string, Decimals> } {
  const decimals = new Map<string, Decimals>();
  const plain = new Map<SchemaElement, SchemaElement>();
  for (const element of columns) {
    const { name, type, converted_type, logical_type, scale, precision = 0 } = element;
    const logical = logical_type?.type === 'DECIMAL' ? logical_type : undefined;
    if (converted_type !== 'DECIMAL' && !logical) continue;
    decimals.set(name, { scale: scale ?? logical?.scale ?? 0, isMultiplied: type === 'BYTE_ARRAY' });
    if (type === 'BYTE_ARRAY') {
      if (precision <= FLOAT64_DIGITS) continue;
      throw new DkvError(
        'INPUT_INVALID',
        `${file.name}: the column ${name} has decimals of ${precision} digits as bytes of any length, which cannot be read exactly. Write it as text.`,
      );
    }
    const { converted_type: _, logical_type: __, ...rest } = element;
    plain.set(element, rest);
  }
  const schema = metadata.schema.map((element) => plain.get(element) ?? element);
  return { metadata: { ...metadata, schema }, decimals };
}

function decimal(value: unknown, { scale, isMultiplied }: Decimals): unknown {
  if (value === null || value === undefined) return value;
  if (isMultiplied) return exactNumber((value as number).toFixed(scale));
  const digits = value instanceof Uint8Array ? signed(value) : BigInt(value as bigint | number);
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
  const point = text.length - scale;
  return exactNumber(`${digits < 0n ? '-' : ''}${text.slice(0, point)}${scale > 0 ? '.' : ''}${text.slice(point)}`);
}

/** Reads a number in two's complement, the highest byte first. */
function signed(bytes: Uint8Array): bigint {
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * bytes.length, value);
}

function hasWanted(wanted: ReadonlySet<number>, start: number, end: number): boolean {
  for (let row = start; row < end; row++) if (wanted.has(row)) return true;
  return false;
}

async function readable<T>(file: PartialFile, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof DkvError) throw error;
    const head = await file.read(0, Math.min(40, file.sizeBytes));
    // One that begins as Parquet does is damaged, or was cut off.
    const reason = (head.toString('latin1', 0, 4) !== 'PAR1' && otherForm(head)) || messageOf(error);
    throw new DkvError('INPUT_INVALID', `${file.name}: no Parquet file that can be read: ${reason}`);
  }
}
