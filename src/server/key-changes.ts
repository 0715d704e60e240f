/** Changes of the file of keys: made under a lock, and written whole or not at all, for its owner's eyes alone. */
import { realpath } from 'node:fs/promises';
import { DkvError } from '../base/errors.js';
import { publish, readTextIfPresent } from '../base/files.js';
import { withLock } from '../base/lock.js';
import { didYouMean } from '../base/near.js';
import { Secret } from '../base/secret.js';
import type { KeyLimits, KeyScope } from '../wire/keys.js';
import {
  expectTenant,
  idOfKey,
  type KeyRecord,
  type Keys,
  keysText,
  NO_KEYS,
  newKey,
  newSalt,
  parseKeys,
} from './key-records.js';
import { digestOf } from './keys.js';

/** Only its owner reads and writes it. */
const OWN_MODE = 0o600;

export interface NewKey {
  readonly tenant: string;
  readonly scopes: readonly KeyScope[];
  readonly limits?: KeyLimits;
  /** In milliseconds since 1970. */
  readonly expiresAt?: number;
  readonly note?: string;
  /** The salt of a tenant that is new, where its documents are primed already; the empty text for those without a salt. */
  readonly salt?: string;
}

export interface CreatedKey {
  readonly key: Secret;
  readonly record: KeyRecord;
  readonly isNewTenant: boolean;
}

/**
 * Makes a key, and its tenant where there is none of that name. The file is made where it is missing.
 * @throws DkvError INPUT_INVALID for another salt than the tenant has, or one that another tenant has
 */
export async function createKey(file: string, wanted: NewKey, now = Date.now()): Promise<CreatedKey> {
  expectTenant(wanted.tenant, wanted.salt);
  return changeKeys(file, (keys) => {
    const tenants = withTenant(keys.tenants, wanted, file);
    const { id, key } = newKey();
    const record: KeyRecord = {
      id,
      tenant: wanted.tenant,
      sha256: digestOf(key).toString('hex'),
      scopes: [...new Set(wanted.scopes)],
      createdAt: new Date(now).toISOString(),
      ...(wanted.limits && Object.keys(wanted.limits).length > 0 && { limits: wanted.limits }),
      ...(wanted.expiresAt !== undefined && { expiresAt: new Date(wanted.expiresAt).toISOString() }),
      ...(wanted.note !== undefined && { note: wanted.note }),
    };
    const made = { key: new Secret(key), record, isNewTenant: !Object.hasOwn(keys.tenants, wanted.tenant) };
    return { keys: { ...keys, tenants, keys: [...keys.keys, record] }, made };
  });
}

function withTenant(tenants: Keys['tenants'], { tenant, salt }: NewKey, file: string): Keys['tenants'] {
  const known = Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined;
  if (known) {
    if (salt === undefined || salt === known.salt) return tenants;
    throw new DkvError(
      'INPUT_INVALID',
      `${file}: tenant ${tenant} has another salt than the one given. A tenant keeps its salt, since its documents are found by it: leave the salt out, or name another tenant.`,
    );
  }
  const other = Object.entries(tenants).find(([, each]) => each.salt === salt)?.[0];
  if (other !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${file}: the salt given is that of tenant ${other}, and ${tenant} would see the same documents. Make a key of ${other}, or give another salt.`,
    );
  }
  return { ...tenants, [tenant]: { salt: salt ?? newSalt() } };
}

/**
 * Revokes a key; one that is revoked already stays as it was. A server that runs refuses it within a second.
 * @param named the id of a key, or the key itself
 * @throws DkvError INPUT_INVALID where no key has that id
 */
export async function revokeKey(
  file: string,
  named: string,
  now = Date.now(),
): Promise<{ readonly record: KeyRecord & { readonly revokedAt: string }; readonly isNew: boolean }> {
  const id = idOfKey(named) ?? named;
  return changeKeys(file, (keys) => {
    const found = keys.keys.find((each) => each.id === id);
    if (!found) {
      throw new DkvError(
        'INPUT_INVALID',
        `${file} has no key with the id "${id}".${didYouMean(
          id,
          keys.keys.map((each) => each.id),
        )} dkv keys list --file ${file} names them.`,
      );
    }
    const record = { ...found, revokedAt: found.revokedAt ?? new Date(now).toISOString() };
    const changed = keys.keys.map((each) => (each === found ? record : each));
    return { keys: { ...keys, keys: changed }, made: { record, isNew: found.revokedAt === undefined } };
  });
}

async function changeKeys<T>(
  named: string,
  change: (keys: Keys) => { readonly keys: Keys; readonly made: T },
): Promise<T> {
  // A link stays a link: what it leads to is replaced.
  const file = await realpath(named).catch(() => named);
  return withLock(`${file}.lock`, async () => {
    const text = await readTextIfPresent(file);
    const { keys, made } = change(text === undefined ? NO_KEYS : parseKeys(text, named));
    await publish(file, keysText(keys), undefined, OWN_MODE);
    return made;
  });
}
