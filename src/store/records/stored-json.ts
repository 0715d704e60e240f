/** JSON that the store keeps among its bytes, read in the form that it must have. */
import type { z } from 'zod';
import { asBuffer } from '../../base/bytes.js';
import { type Parsed, tryParse } from '../../base/parse.js';

/** @param bytes UTF-8 */
export function parseStoredJson<T>(schema: z.ZodType<T>, bytes: Uint8Array): Parsed<T> {
  let value: unknown;
  try {
    value = JSON.parse(asBuffer(bytes).toString('utf8'));
  } catch {
    return { success: false, problem: 'no JSON', path: [] };
  }
  return tryParse(schema, value);
}
