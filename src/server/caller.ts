/** Who asks: what a key says of the one who holds it. */
import { DkvError } from '../base/errors.js';
import { KEY_SCOPES, type KeyLimits, type KeyScope as Scope } from '../wire/keys.js';

export type { Scope };

export interface Caller {
  /** The key's id; null where the server has no keys. */
  readonly keyId: string | null;
  /** The tenant whose documents the caller sees. */
  readonly tenant: string;
  /** The tenant's salt, which is part of every id and key in the store. */
  readonly tenantSalt: string;
  /** The widest scope of the key. */
  readonly scope: Scope;
  /** Limits of the key's own, in place of the server's. */
  readonly limits?: KeyLimits;
}

/** Finds who asks by the value of the header `authorization`. @throws DkvError UNAUTHORIZED */
export type Callers = (authorization: string | undefined) => Caller | Promise<Caller>;

/** Everybody, where the server has no keys. */
export const ANYBODY: Caller = { keyId: null, tenant: '', tenantSalt: '', scope: 'admin' };

/** @throws DkvError FORBIDDEN */
export function expectScope({ scope }: Caller, needed: Scope): void {
  if (KEY_SCOPES.indexOf(scope) >= KEY_SCOPES.indexOf(needed)) return;
  throw new DkvError('FORBIDDEN', `This needs a key with the scope ${needed}; the key has ${scope}.`);
}
