/** Parts of the schemas of every family's config.json. */
import { z } from 'zod';
import { DkvError } from '../../base/errors.js';
import { parse } from '../../base/parse.js';
import type { Activation } from '../graph/feed-forward.js';

export const tokenId = z.number().int().nonnegative();
export const tokenIds = z.union([tokenId, z.array(tokenId).min(1)]);

/** The activations, by the names that Hugging Face gives them. */
export const ACTIVATION_OF: Readonly<Record<string, Activation>> = {
  relu: 'relu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  silu: 'silu',
  swish: 'silu',
};

/** Makes a list of one id or several. */
export function listed(ids: number | readonly number[] | null | undefined): readonly number[] | undefined {
  return typeof ids === 'number' ? [ids] : (ids ?? undefined);
}

/** Tells whether a key is missing, null, or an empty object or list. */
export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** @throws DkvError CHECKPOINT_INVALID naming the file and the field */
export function parsedBy<T>(schema: z.ZodType<T>, json: unknown, file: string): T {
  return parse(schema, json, 'CHECKPOINT_INVALID', file);
}

/**
 * @param found what generation_config.json says
 * @param known what config.json says
 * @throws DkvError MODEL_UNSUPPORTED
 */
export function expectSameStart(found: number | null | undefined, known: number, file: string): void {
  if (found == null || found === known) return;
  throw new DkvError(
    'MODEL_UNSUPPORTED',
    `${file}: decoder_start_token_id is ${found}, that of config.json ${known}; one start for scoring and generating is supported.`,
  );
}
