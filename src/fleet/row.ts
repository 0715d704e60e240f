/** A row of a corpus as a chunk keeps it, one JSON line each: what priming needs of it, with its number in the corpus. */
import { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { parse } from '../base/parse.js';
import type { DocumentRow } from '../datasets/documents.js';
import { rowDigestOf } from '../serving/document-metadata.js';
import { digestIn } from '../store/generations/shard.js';
import { slotOf } from '../store/records/entry.js';
import { metadataSchema } from '../store/records/record.js';

export const rowSchema = z.strictObject({
  row: z.int().positive().describe('The row’s number in the corpus, from 1, through all of its files.'),
  id: z.string().exactOptional().describe('The document’s id; absent where the row could not be read.'),
  text: z.string().exactOptional().describe('The document’s text.'),
  title: z.string().exactOptional().describe('Its title, where the row has one.'),
  fields: metadataSchema.exactOptional().describe('Every other field of the row, where there is one.'),
  error: z.string().exactOptional().describe('Why the row could not be read; the fields above are then absent.'),
});
export type Row = z.infer<typeof rowSchema>;

/** @param document an error stands for a row that could not be read */
export function rowOf(row: number, document: DocumentRow | DkvError): Row {
  if (document instanceof DkvError) return { row, error: document.message };
  const { id, text, title, fields } = document;
  return {
    row,
    id,
    text,
    ...(title !== undefined && { title }),
    ...(Object.keys(fields).length > 0 && { fields: fields as NonNullable<Row['fields']> }),
  };
}

/** @throws DkvError STORE_DAMAGED */
export function parseRow(line: string, where: string): Row {
  return parse(rowSchema, JSON.parse(line) as unknown, 'STORE_DAMAGED', where);
}

/** The digest that decides which chunk a row is of: its document's, so that all rows of an id are in one. A row without an id has its number's. */
export function placeOf({ row, id }: Row): Buffer {
  return id ? digestIn(slotOf(id, '')) : sha256(`row ${row}`);
}

/** The digest of a row's content, as priming notes it with the document. */
export function contentOf({ text = '', title, fields, error }: Row): string {
  return rowDigestOf(error === undefined ? { text, title, fields } : { text: `unreadable: ${error}` });
}
