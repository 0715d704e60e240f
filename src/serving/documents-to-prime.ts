/** The form of a document that is to be primed, and what of it is kept beside its states. */
import { z } from 'zod';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import { metadataSchema } from '../store/records/record.js';
import type { DocumentEntry, Metadata } from '../store/store.js';
import type { DocumentToPrime, Shard } from './prime-options.js';

export const documentSchema = z.object({
  id: z
    .string({ error: 'it has no id' })
    .min(1, { error: 'it has no id' })
    .refine((id) => id.isWellFormed(), { error: 'its id has half of a surrogate pair, which UTF-8 cannot hold' }),
  text: z
    .string({ error: 'it has no text' })
    .refine((text) => text.trim() !== '', { error: 'it has no text' })
    .refine((text) => text.isWellFormed(), { error: 'its text has half of a surrogate pair, which UTF-8 cannot hold' }),
  title: z.string().optional(),
  fields: metadataSchema.optional(),
  sourceVersion: z.int({ error: 'its source version is no whole number' }).nonnegative().optional(),
  expiresAt: z
    .int({ error: 'its time of expiry is no whole number' })
    .refine((time) => time > Date.now(), { error: 'its time of expiry is over' })
    .optional(),
});

/** Tells whether an entry has a document's title and fields. */
export function hasFields(entry: DocumentEntry | undefined, document: DocumentToPrime): boolean {
  // As text, since storing makes 0 of -0.
  return JSON.stringify(entry?.metadata.fields) === JSON.stringify(fieldsOf(document));
}

export function outdated(id: string, version: number, there: number): DkvError {
  const found =
    version === there
      ? `version ${there} is there with other content. Give what has changed a later version`
      : `version ${version} comes after version ${there} was taken. It is left out; send the latest version`;
  return new DkvError('VERSION_OUTDATED', `Document ${JSON.stringify(id)}: ${found}.`);
}

export function fieldsOf({ title, fields = {} }: DocumentToPrime): Metadata {
  return { ...(title !== undefined && { title }), ...fields };
}

export function idOf(document: unknown): string | undefined {
  const id = typeof document === 'object' && document !== null && 'id' in document ? document.id : undefined;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Tells whether a document is of a shard, by its id alone, so that all shards agree in whatever order the documents come. */
export function isOfShard(id: string, shard: Shard | undefined): boolean {
  if (!shard) return true;
  const hash = sha256(Buffer.from(id, 'utf16le')).readUInt32LE(0);
  return hash % shard.of === shard.number - 1;
}
