/** Parquet files of the shapes that datasets on the hub have. */
import type { SchemaElement } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { Row } from '../../src/datasets/table.js';

type Rows = readonly Row[];
type Kind = 'STRING' | 'INT32' | 'INT64' | 'DOUBLE';

/** A flat table; values may be null. */
export function parquetFile(rows: Rows, types: Readonly<Record<string, Kind>>, rowGroupSize = rows.length): Uint8Array {
  const columnData = Object.entries(types).map(([name, type]) => ({
    name,
    type,
    data: rows.map((row) =>
      type === 'INT64' && typeof row[name] === 'number' ? BigInt(row[name]) : (row[name] ?? null),
    ),
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize }));
}

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const;

/** MS MARCO as the hub has it: passages are a structure of parallel lists. */
export function msMarcoFile(rows: Rows, rowGroupSize = rows.length): Uint8Array {
  const schema: SchemaElement[] = [
    { name: 'root', num_children: 6 },
    ...list('answers', TEXT),
    { name: 'passages', repetition_type: 'OPTIONAL', num_children: 3 },
    ...list('is_selected', { type: 'INT32' }),
    ...list('passage_text', TEXT),
    ...list('url', TEXT),
    { name: 'query', repetition_type: 'OPTIONAL', ...TEXT },
    { name: 'query_id', repetition_type: 'OPTIONAL', type: 'INT32' },
    { name: 'query_type', repetition_type: 'OPTIONAL', ...TEXT },
    ...list('wellFormedAnswers', TEXT),
  ];
  const names = ['answers', 'passages', 'query', 'query_id', 'query_type', 'wellFormedAnswers'];
  const columnData = names.map((name) => ({ name, data: rows.map((row) => row[name]) }));
  return new Uint8Array(parquetWriteBuffer({ columnData, schema, rowGroupSize }));
}

function list(name: string, element: Pick<SchemaElement, 'type' | 'converted_type'>): SchemaElement[] {
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', repetition_type: 'OPTIONAL', ...element },
  ];
}

/** So many words, none of two texts alike. */
export function words(count: number, tag: string | number): string {
  return Array.from({ length: count }, (_, i) => `w${tag}x${i}`).join(' ');
}
