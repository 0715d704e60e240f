/** Parquet: the named columns, one row group after another, as far as somebody asks. Knows no dataset and no network. */
import { parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { DkvError, messageOf } from '../errors.js';
import type { PartialFile } from '../hub/parts.js';

export interface ParquetFile {
  readonly rowCount: number;
  /** Of the top level. */
  readonly columns: readonly string[];
  /**
   * Rows with their numbers from 0.
   * @param wanted only these, counted from `-first`; row groups without any are passed over
   */
  rows(
    columns: readonly string[],
    wanted?: ReadonlySet<number>,
    first?: number,
  ): AsyncGenerator<[number, Record<string, unknown>]>;
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
  const metadata = await readable(file, parquetMetadataAsync(buffer, { initialFetchSize: FOOTER_BYTES }));
  return {
    rowCount: Number(metadata.num_rows),
    columns: parquetSchema(metadata).children.map(({ element }) => element.name),
    async *rows(columns, wanted, first = 0) {
      let rowStart = 0;
      for (const { num_rows } of metadata.row_groups) {
        const rowEnd = rowStart + Number(num_rows);
        if (!wanted || hasWanted(wanted, first + rowStart, first + rowEnd)) {
          const request = { file: buffer, metadata, columns: [...columns], rowStart, rowEnd, compressors };
          const rows = await readable(file, parquetReadObjects(request));
          for (const [i, row] of rows.entries()) {
            if (!wanted || wanted.has(first + rowStart + i)) yield [rowStart + i, row];
          }
        }
        rowStart = rowEnd;
      }
    },
  };
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
    throw new DkvError('INPUT_INVALID', `${file.name}: no Parquet file that can be read: ${messageOf(error)}`);
  }
}
