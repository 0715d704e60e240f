/** Who may ask: from the header of a request to its caller, by the file of keys where there is one. */
import type { DkvError } from '../base/errors.js';
import { ANYBODY, type Callers } from './caller.js';
import { KeyFile } from './keys.js';

/**
 * @param file the file of keys; without it everybody may do everything
 * @param onChange told when a changed file cannot be used, and, with undefined, when it can be again
 * @throws DkvError INPUT_INVALID, FILES_UNUSABLE
 */
export async function openAccess(
  file: string | undefined,
  onChange: (error: DkvError | undefined) => void = () => undefined,
): Promise<Callers> {
  if (file === undefined) return () => ANYBODY;
  const keys = await KeyFile.open(file, { onChange });
  return (authorization) => keys.accept(authorization === undefined ? undefined : bearerOf(authorization));
}

/** What a header presents as a key. A header of another scheme is taken as a whole, which is no key. */
function bearerOf(authorization: string): string {
  return /^bearer +(\S+)$/i.exec(authorization.trim())?.[1] ?? '';
}
