/** JSON as text: every answer, file and report that is JSON leaves by here. */
import { stringify } from 'lossless-json';
import { z } from 'zod';

/** Writes JSON without line breaks. Numbers that were read with digits of their own (`LosslessNumber`) are written with these. */
export function jsonText<Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>): string {
  return stringify(z.encode(schema, value))!;
}
