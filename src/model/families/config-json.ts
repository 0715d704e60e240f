/** What the config.json of every family is read with. */
import { z } from 'zod';
import { parse } from '../../base/parse.js';

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
export function parsedBy<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  return parse(schema, json, 'CHECKPOINT_INVALID', file);
}
