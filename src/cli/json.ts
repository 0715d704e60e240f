/** `--json`: the one way in which commands print results for machines. */
import type { z } from 'zod';
import { jsonText } from '../wire/text.js';

/** Prints a line of JSON on the standard output, or on another stream. */
export function printJson<Schema extends z.ZodType>(
  schema: Schema,
  value: z.output<Schema>,
  stream: NodeJS.WriteStream = process.stdout,
): void {
  stream.write(jsonLine(schema, value));
}

export function jsonLine<Schema extends z.ZodType>(schema: Schema, value: z.output<Schema>): string {
  return `${jsonText(schema, value)}\n`;
}
