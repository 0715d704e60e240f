/** What priming says of each document beside its states. Priming writes it, ranking reads it. */
import { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { parse } from '../base/parse.js';
import { metadataSchema } from '../store/records/record.js';
import type { DocumentEntry, Metadata } from '../store/store.js';

export const documentMetadataSchema = z.strictObject({
  fields: metadataSchema.describe('What the input said of the document beside its text.'),
  priors: z
    .record(z.string(), z.number())
    .exactOptional()
    .describe('Per variant the mean NLL in nats a token of the reference queries; absent where none were given.'),
  rowDigest: z
    .string()
    .exactOptional()
    .describe(
      'Digest of the row that it was primed from: text, title and fields. Absent where an earlier release primed it.',
    ),
  sourceVersion: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe(
      'Version of the document where it comes from: an older one does not replace it. Absent where none was given.',
    ),
  priorDigest: z.string().exactOptional().describe('Digest of the reference queries that `priors` were computed with.'),
});

export type DocumentMetadata = z.infer<typeof documentMetadataSchema>;

/** @throws DkvError STORE_MISMATCH when something else than priming stored the document */
export function parseDocumentMetadata(id: string, metadata: Metadata): DocumentMetadata {
  const where = `Document ${JSON.stringify(id)} was not stored by priming`;
  return parse(documentMetadataSchema, metadata, 'STORE_MISMATCH', where, 'Prime it again.');
}

/** What decides how a document is primed, as its row says it. */
export interface RowContent {
  readonly text: string;
  readonly title?: string | undefined;
  readonly fields?: Metadata | undefined;
}

/** Tells a document from what it is after a change: 32 hex digits. Rows with the same fields in another order differ, as their entries do. */
export function rowDigestOf({ text, title, fields = {} }: RowContent): string {
  return sha256(JSON.stringify([text, title ?? null, fields]))
    .toString('hex')
    .slice(0, 32);
}

/** The version that a document has where it comes from; undefined where none was given, and for no document. */
export function versionIn(entry: DocumentEntry | undefined): number | undefined {
  const { sourceVersion } = entry?.metadata ?? {};
  return typeof sourceVersion === 'number' ? sourceVersion : undefined;
}

/** Tells whether a version is older than another. Those without a version are never. */
export function isOlder(version: number | undefined, other: number | undefined): boolean {
  return version !== undefined && other !== undefined && version < other;
}
