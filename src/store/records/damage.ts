/** Readings that treat damaged data as missing, for code that can do without them. */
import { DkvError } from '../../base/errors.js';

export function isDamage(error: unknown): error is DkvError {
  return error instanceof DkvError && error.code === 'STORE_DAMAGED';
}

/**
 * Reads something and counts what is damaged as missing, so that it is put again.
 * @throws any other error
 */
export async function unlessDamaged<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
