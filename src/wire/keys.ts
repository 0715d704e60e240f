/** Keys of a server: what `dkv keys` prints, and what the file of keys is made of. */
import { z } from 'zod';
import { wireObject } from './case.js';

export const keyIdSchema = z
  .string()
  .regex(/^[a-z0-9]{12}$/, 'expected 12 letters of a-z and 0-9')
  .describe('The id, which is part of the key and may be shown.');

export const keyTenantSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'expected a tenant’s name: up to 64 letters, digits, dots, underscores or hyphens, a letter or digit first',
  )
  .describe('Whose documents the key is for.');

/** What a key may allow. Each of them allows what stands before it. */
export const KEY_SCOPES = ['read', 'write', 'admin'] as const;

export const keyScopeSchema = z
  .enum(KEY_SCOPES)
  .describe(
    'read: score, rank, generate and look up. write: documents are put and deleted. admin: generations are switched.',
  );

/** What a key allows. */
export type KeyScope = z.output<typeof keyScopeSchema>;

const limitSchema = z.int().min(1).max(1e12);

export const keyLimitsSchema = wireObject({
  pairsPerMinute: limitSchema.optional().describe('Pairs of a query and a document; each one that is scored counts.'),
  tokensPerMinute: limitSchema.optional().describe('Tokens that the model reads or writes.'),
});

/** How much a key may ask for. */
export type KeyLimits = z.output<typeof keyLimitsSchema>;

const timeSchema = z.iso.datetime({ offset: true });

const shape = {
  id: keyIdSchema,
  tenant: keyTenantSchema,
  scopes: z.array(keyScopeSchema).readonly().describe('What it allows.'),
  limits: keyLimitsSchema.nullable().describe('Its own limits; null: the server’s.'),
  createdAt: timeSchema.describe('When it was made, as ISO 8601.'),
  expiresAt: timeSchema.nullable().describe('From when on it is refused; null: never.'),
  revokedAt: timeSchema.nullable().describe('Since when it is revoked; null: it is not.'),
  note: z.string().nullable().describe('What was written about it.'),
};
const fileSchema = z.string().describe('The file of keys.');

export const keyCreatedSchema = wireObject({
  file: fileSchema,
  key: z.string().describe('The key, which is stored nowhere and not shown again.'),
  newTenant: z.boolean().describe('Whether the tenant was made with it.'),
  ...shape,
});

export const keyListSchema = wireObject({
  file: fileSchema,
  tenants: z.array(keyTenantSchema).readonly().describe('The tenants, in the order of their names.'),
  keys: z
    .array(
      wireObject({
        ...shape,
        status: z.enum(['valid', 'expired', 'revoked']).describe('Whether it is accepted now.'),
      }),
    )
    .readonly()
    .describe('The keys, the oldest first.'),
});

export const keyRevokedSchema = wireObject({
  file: fileSchema,
  id: keyIdSchema,
  tenant: keyTenantSchema,
  revokedAt: timeSchema.describe('Since when it is revoked, as ISO 8601.'),
  new: z.boolean().describe('Whether that was done now.'),
});
