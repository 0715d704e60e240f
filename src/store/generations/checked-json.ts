/** Small files of a catalogue that change: JSON behind its SHA-256, a line each, so that a damaged one is refused and a person can read it. */
import type { z } from 'zod';
import { sha256 } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { parseStoredJson } from '../records/stored-json.js';

const DIGEST_LENGTH = 64;

export function encodeChecked(value: unknown): Buffer {
  const json = Buffer.from(`${JSON.stringify(value)}\n`, 'utf8');
  return Buffer.concat([Buffer.from(`${sha256(json).toString('hex')}\n`, 'latin1'), json]);
}

/** @param name the file, for the message @throws DkvError STORE_DAMAGED */
export function decodeChecked<T>(schema: z.ZodType<T>, bytes: Buffer, name: string): T {
  const json = bytes.subarray(DIGEST_LENGTH + 1);
  const isWhole = bytes.toString('latin1', 0, DIGEST_LENGTH + 1) === `${sha256(json).toString('hex')}\n`;
  const parsed = isWhole ? parseStoredJson(schema, json) : undefined;
  if (parsed?.success) return parsed.data;
  const reason = parsed ? parsed.problem : 'its checksum does not match';
  throw new DkvError('STORE_DAMAGED', `${name} is damaged: ${reason}. Restore it from a copy of the catalogue.`);
}
