/**
 * The file of keys: which tenants there are, by the salts of their documents, and which keys may ask for them. Parsing and writing alone; it knows
 * no file and no request.
 *
 * A key is `dkv_<id>_<256 random bits in hex>`. The file holds its SHA-256, which says nothing of it: there is nothing to guess in 256 random bits, so
 * a slow hash would only slow the server down.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { z } from 'zod';
import { DkvError, messageOf } from '../base/errors.js';
import { parseJson } from '../base/json.js';
import { parse } from '../base/parse.js';
import { wireObject } from '../wire/case.js';
import { keyIdSchema, keyLimitsSchema, keyScopeSchema, keyTenantSchema } from '../wire/keys.js';
import { jsonText } from '../wire/text.js';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 12;
const KEY = /^dkv_([a-z0-9]{12})_[0-9a-f]{64}$/;

const timeSchema = z.iso.datetime({ offset: true });

const keyRecordSchema = wireObject({
  id: keyIdSchema,
  tenant: keyTenantSchema,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected 64 digits of 0-9 and a-f')
    .describe('The SHA-256 of the whole key, in hex.'),
  scopes: z
    .array(keyScopeSchema)
    .min(1)
    .readonly()
    .describe('What it allows. admin allows write as well, and write allows read.'),
  limits: keyLimitsSchema.optional().describe('Limits of its own, in place of the server’s.'),
  createdAt: timeSchema.describe('When it was made, as ISO 8601.'),
  expiresAt: timeSchema.optional().describe('From when on it is refused.'),
  revokedAt: timeSchema.optional().describe('Since when it is revoked.'),
  note: z.string().optional().describe('What people wrote about it.'),
});

/** A key as the file keeps it. */
export type KeyRecord = z.output<typeof keyRecordSchema>;

const tenantSchema = wireObject({
  salt: z
    .string()
    // The salt itself is never shown.
    .refine((salt) => salt.length <= 256, 'expected at most 256 characters')
    .refine(
      (salt) => !salt.startsWith('notes:'),
      'expected a salt that does not begin with notes:, which is for the notes of a store',
    )
    .describe(
      'What separates its documents from those of others in one store. Empty: those that were primed without a salt.',
    ),
});

export const keysFileSchema = z
  .strictObject({
    format: z.literal(1).describe('The form of this file.'),
    tenants: z.record(keyTenantSchema, tenantSchema).describe('Whose documents there are, by name.'),
    keys: z.array(keyRecordSchema).readonly().describe('The keys, the oldest first.'),
  })
  .superRefine(({ tenants, keys }, context) => {
    const problem = (path: PropertyKey[], message: string) => context.addIssue({ code: 'custom', path, message });
    const owners = new Map<string, string>();
    for (const [name, { salt }] of Object.entries(tenants)) {
      const other = owners.get(salt);
      if (other !== undefined) problem(['tenants', name, 'salt'], `expected another salt than that of ${other}`);
      owners.set(salt, name);
    }
    const ids = new Set<string>();
    for (const [at, { id, tenant }] of keys.entries()) {
      if (ids.has(id)) problem(['keys', at, 'id'], `expected each id once, found ${id} again`);
      ids.add(id);
      if (!Object.hasOwn(tenants, tenant)) {
        problem(['keys', at, 'tenant'], `expected one of the tenants of this file, found ${JSON.stringify(tenant)}`);
      }
    }
  });

/** What a file of keys says. */
export type Keys = z.output<typeof keysFileSchema>;

export const NO_KEYS: Keys = { format: 1, tenants: {}, keys: [] };

/** @param file its name, for the message @throws DkvError INPUT_INVALID naming the file, the field and what was expected there */
export function parseKeys(text: string, file: string): Keys {
  const advice = 'Restore it from a copy, or make another with dkv keys create.';
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    // Its text is not shown: salts are in it.
    throw new DkvError('INPUT_INVALID', `${file} is not a file of keys: ${messageOf(error)}. ${advice}`);
  }
  return parse(keysFileSchema, json, 'INPUT_INVALID', `${file} is not a file of keys`, advice);
}

/** @throws DkvError INPUT_INVALID for what cannot be a tenant's name or its salt */
export function expectTenant(name: string, salt: string | undefined): void {
  parse(keyTenantSchema, name, 'INPUT_INVALID', `The tenant`);
  if (salt !== undefined) parse(tenantSchema, { salt }, 'INPUT_INVALID', `The tenant ${name}`);
}

export function keysText(keys: Keys): string {
  return `${JSON.stringify(JSON.parse(jsonText(keysFileSchema, keys)), null, 2)}\n`;
}

/** A key that nobody has yet. It is told once and kept by whoever asked for it. */
export function newKey(): { readonly id: string; readonly key: string } {
  const id = Array.from({ length: ID_LENGTH }, () => ID_LETTERS[randomInt(ID_LETTERS.length)]).join('');
  return { id, key: `dkv_${id}_${randomBytes(32).toString('hex')}` };
}

/** 128 random bits. */
export function newSalt(): string {
  return randomBytes(16).toString('hex');
}

/** The id that a key names; undefined for what has not the form of a key. */
export function idOfKey(key: string): string | undefined {
  return KEY.exec(key)?.[1];
}
