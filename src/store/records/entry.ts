/** What an id points to, as bytes: SHA-256 of the rest, then JSON. Ids of any length and form; a slot's name is a digest of the id. */
import { z } from 'zod';
import { asBuffer, sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { parse } from '../../base/parse.js';
import type { DocumentEntry } from '../store.js';
import { metadataSchema, readMetadataSchema } from './record.js';
import { parseStoredJson } from './stored-json.js';

const DIGEST_BYTES = 32;

export const entrySchema = z.strictObject({
  id: z.string().describe('The document’s id.'),
  variants: z
    .array(z.tuple([z.string(), z.string().regex(/^[0-9a-f]{64}$/)]))
    .describe('Pairs of a variant’s name and a record’s key, not an object: any name will do.'),
  metadata: metadataSchema.describe('What is known of the document.'),
  expiresAt: z.int().nullable().describe('When it expires, in milliseconds since 1970; null: never.'),
});

/** The schema of an entry that was just read as JSON. */
const readEntrySchema = entrySchema.extend({ metadata: readMetadataSchema });

/** The last tenant that was asked for, since a store asks for its own with every entry. */
let lastTenant: { readonly salt: string; readonly tenant: string } | undefined;

/** The beginning of a tenant's slots, 16 hex digits. */
export function tenantOf(salt: string): string {
  if (lastTenant?.salt !== salt) {
    lastTenant = { salt, tenant: sha256(`tenant:${salt}`).toString('hex').slice(0, 16) };
  }
  return lastTenant.tenant;
}

export function slotOf(id: string, salt: string): string {
  // As UTF-16: every string has one form, lone surrogates included.
  return tenantOf(salt) + sha256(Buffer.from(id, 'utf16le')).toString('hex');
}

/** The salt of notes. Notes are documents of a tenant beside the tenant itself, so that they are not among its ids. */
export function notesSalt(salt: string): string {
  return `notes:${salt}`;
}

/** The key that the id points to in one of its variants. */
export function keyOfVariant(entry: DocumentEntry | undefined, variant: string): string | undefined {
  return entry && Object.hasOwn(entry.variants, variant) ? entry.variants[variant] : undefined;
}

/** @throws DkvError INPUT_INVALID */
export function encodeEntry({ id, variants, metadata, expiresAt }: DocumentEntry): Buffer {
  const entry = { id, variants: Object.entries(variants), metadata, expiresAt: expiresAt ?? null };
  const parsed = parse(entrySchema, entry, 'INPUT_INVALID', 'The document cannot be stored');
  const json = Buffer.from(JSON.stringify(parsed), 'utf8');
  return Buffer.concat([sha256(json), json]);
}

/** @throws DkvError STORE_DAMAGED */
export function decodeEntry(bytes: Uint8Array, slot: string, salt: string): DocumentEntry {
  const { id, variants, metadata, expiresAt } = inspectEntry(bytes, slot);
  if (slotOf(id, salt) !== slot) throw damagedEntry(slot, 'it is the entry of another document');
  return {
    id,
    variants: Object.fromEntries(variants),
    metadata,
    ...(expiresAt !== null && { expiresAt }),
  };
}

/** Checks what can be checked of an entry whose tenant is not known. @throws DkvError STORE_DAMAGED */
export function inspectEntry(bytes: Uint8Array, slot: string): z.infer<typeof entrySchema> {
  const view = asBuffer(bytes);
  const json = view.subarray(DIGEST_BYTES);
  if (!sha256(json).equals(view.subarray(0, DIGEST_BYTES))) {
    throw damagedEntry(slot, 'its checksum does not match');
  }
  const entry = parseStoredJson(readEntrySchema, json);
  if (entry.success) return entry.data;
  throw damagedEntry(slot, entry.problem);
}

function damagedEntry(slot: string, reason: string): DkvError {
  return new DkvError(
    'STORE_DAMAGED',
    `The entry of a document (slot ${slot}) is damaged: ${reason}. It is not served.`,
  );
}
