/** The format of a run's whole files, `run.json` and `summary.json`, and how one of them is read. */
import { z } from 'zod';
import { DkvError, messageOf } from '../../base/errors.js';
import { parse } from '../../base/parse.js';
import { type FileContent, unpackedBytesOf, unseal } from './sealed.js';

/** A file of another format is not read by this version. */
export const RECORD_FORMAT = 2;

const anyFormat = z.object({ format: z.unknown() });

/**
 * Reads the content of a whole file of a run folder, checked and of this version's format.
 * @param file its name, for messages
 * @param what the file is to be, and what to do about a damaged one, a sentence
 * @throws DkvError RUN_DAMAGED naming the field that is not as expected, INPUT_INVALID for content that is still compressed
 */
export function parseWhole<T>(
  file: string,
  content: FileContent,
  schema: z.ZodType<T>,
  { what, advice }: { readonly what: string; readonly advice: string },
): T {
  const bytes = unpackedBytesOf(content, file);
  let value: unknown;
  try {
    ({ value } = unseal(bytes));
  } catch (error) {
    throw new DkvError('RUN_DAMAGED', `${file}: not what was written (${messageOf(error)}). ${advice}`, {
      cause: error,
    });
  }
  const format = anyFormat.safeParse(value).data?.format;
  if (format !== RECORD_FORMAT) {
    const found = format === undefined ? 'without a format' : `of format ${JSON.stringify(format)}`;
    throw new DkvError(
      'RUN_DAMAGED',
      `${file}: a record ${found}; this version reads format ${RECORD_FORMAT}. Repeat the run, or read it with the version that made it.`,
    );
  }
  return parse(schema, value, 'RUN_DAMAGED', `${file}: not ${what}`, advice);
}
