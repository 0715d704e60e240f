/** What is read and is not what was written: whoever can do without it asks here. */
import { DkvError } from '../../base/errors.js';

export function isDamage(error: unknown): error is DkvError {
  return error instanceof DkvError && error.code === 'STORE_DAMAGED';
}

/** What is damaged counts as not there, so that it is put again. @throws any other error */
export async function unlessDamaged<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isDamage(error)) return undefined;
    throw error;
  }
}
