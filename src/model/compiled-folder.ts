/**
 * The folder of a compiled model on disk: a manifest that says what the model is, and digests of the other files. It knows nothing of how
 * they are made. Bytes that are not what was written would be other numbers under the same name, so nothing is loaded before it is checked.
 */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError, messageOf } from '../base/errors.js';
import { readTextIfPresent } from '../base/files.js';
import { tryParse } from '../base/parse.js';
import { type DigestMemory, fileDigest, type ReadingOptions } from './files/digests.js';
import { type Manifest, manifestSchema } from './manifest.js';

export const MANIFEST = 'manifest.json';

/** The text of a manifest: its content, with a digest of that in front. */
export function sealed(content: unknown): string {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return JSON.stringify({ digest, content });
}

/** The content of a folder's manifest, or undefined where there is none. @throws DkvError CACHE_DAMAGED */
export async function readManifest(directory: string): Promise<Manifest | undefined> {
  const text = await readTextIfPresent(path.join(directory, MANIFEST));
  if (text === undefined) return undefined;
  let content: unknown;
  try {
    content = (JSON.parse(text) as { readonly content?: unknown } | null)?.content;
  } catch (error) {
    throw damaged(directory, `${MANIFEST} cannot be read: ${messageOf(error)}`);
  }
  if (text !== sealed(content)) throw damaged(directory, `${MANIFEST} is not what was written`);
  const parsed = tryParse(manifestSchema, content);
  if (!parsed.success) throw damaged(directory, `${MANIFEST}: ${parsed.problem}`);
  return parsed.data;
}

export interface CheckingOptions extends ReadingOptions {
  /**
   * The memory of earlier checks: a file that was checked before and has not been touched since is not read again. Without it everything is read.
   */
  readonly memory?: DigestMemory;
}

/** @throws DkvError CACHE_DAMAGED for the first file that is not what was written; CANCELLED */
export async function expectIntact(
  directory: string,
  files: Manifest['files'],
  { memory, ...reading }: CheckingOptions = {},
): Promise<void> {
  for (const { name, sizeBytes, digest } of files) {
    const file = path.join(directory, name);
    const found = await stat(file).catch(() => undefined);
    if (found?.size !== sizeBytes) {
      throw damaged(directory, `${name} has ${found?.size ?? 'no'} bytes, ${sizeBytes} were written`);
    }
    const read = () => fileDigest(file, reading);
    const is = await (memory ? memory.of([file], 'content', read) : read());
    if (is !== digest) throw damaged(directory, `${name} has the digest ${is}, what was written ${digest}`);
  }
}

export function damaged(directory: string, reason: string): DkvError {
  return new DkvError(
    'CACHE_DAMAGED',
    `${directory}: ${reason}. "dkv models verify --remove" removes compiled models that are damaged; they are made again at their next use.`,
  );
}
