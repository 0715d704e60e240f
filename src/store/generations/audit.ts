/** What was done to a catalogue, when, by which machine and why: a file each, which nothing changes or removes. */
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { z } from 'zod';
import { decodeChecked, encodeChecked } from './checked-json.js';
import type { CatalogueFiles } from './files.js';

const AUDIT_ACTIONS = ['publish', 'activate', 'rollback', 'compact', 'collect', 'takedown', 'lift', 'erase'] as const;

export const auditSchema = z.strictObject({
  at: z.int().describe('When, in milliseconds since 1970.'),
  host: z.string().describe('The name of the machine.'),
  action: z.enum(AUDIT_ACTIONS).describe('What was done.'),
  subject: z.string().describe('The alias, generation or documents that it was done to.'),
  reason: z.string().nullable().describe('Why, where somebody said so.'),
});
export type AuditLine = z.infer<typeof auditSchema>;

export async function writeAudit(
  files: CatalogueFiles,
  action: AuditLine['action'],
  subject: string,
  reason: string | null = null,
): Promise<void> {
  const at = Date.now();
  const name = `audit/${new Date(at).toISOString().replaceAll(':', '')}-${randomBytes(4).toString('hex')}.json`;
  await files.put(name, encodeChecked({ at, host: os.hostname(), action, subject, reason }));
}

/** All lines, oldest first. */
export async function* readAudit(files: CatalogueFiles): AsyncGenerator<AuditLine> {
  for await (const { name } of files.list('audit/')) {
    const found = await files.read(`audit/${name}`);
    if (found) yield decodeAudit(found.bytes, `audit/${name}`);
  }
}

/** @param name the file, for the message @throws DkvError STORE_DAMAGED */
export function decodeAudit(bytes: Buffer, name: string): AuditLine {
  return decodeChecked(auditSchema, bytes, name);
}
