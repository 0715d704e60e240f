/** What the config.json of every family is read with. */
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';

export const tokenId = z.number().int().nonnegative();
export const tokenIds = z.union([tokenId, z.array(tokenId).min(1)]);

/** One id or several, as a list. */
export function listed(ids: number | readonly number[] | null | undefined): readonly number[] | undefined {
  return typeof ids === 'number' ? [ids] : (ids ?? undefined);
}

/** Whether a key is not there, null or an empty object or list. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** @throws DkvError CHECKPOINT_INVALID naming the file and the field */
export function parsedBy<Schema extends z.ZodType>(schema: Schema, json: unknown, file: string): z.infer<Schema> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DkvError('CHECKPOINT_INVALID', `${file}: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`);
}
