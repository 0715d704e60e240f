/** One object of a bucket as an input: its bytes in pieces, each asked for again by itself where the server fails. What they hold is others' concern. */
import { Readable } from 'node:stream';
import { DkvError } from '../base/errors.js';
import type { PartialFile } from '../hub/parts.js';
import { parseAddress } from '../store/backends/address.js';
import { DEFAULT_TIMEOUT_MS } from '../store/open.js';

/** The bytes of one request. */
const PIECE_BYTES = 8 * 2 ** 20;

export interface S3Input extends PartialFile {
  /** Tells the object from what is written there later. */
  readonly version: string;
  /** All bytes in their order. */
  stream(signal?: AbortSignal): Readable;
}

export function isS3(place: string): boolean {
  return place.startsWith('s3://');
}

/**
 * Settings and keys are those of the environment, as for stores.
 * @throws DkvError INPUT_INVALID where there is no such object, STORE_UNREACHABLE, STORE_DENIED
 */
export async function openS3Input(place: string): Promise<S3Input> {
  const address = parseAddress(place);
  if (address.kind !== 's3') throw new Error(`${place} was read as ${address.kind}.`);
  // The client of S3 takes longer to load than all else.
  const { S3Objects } = await import('../store/backends/s3-objects.js');
  const objects = new S3Objects({ ...address, prefix: '' }, DEFAULT_TIMEOUT_MS, {});
  const key = address.prefix;
  const found = await firstOf(objects.list(key));
  if (found?.name !== '') throw new DkvError('INPUT_INVALID', `${place}: no such object.`);
  const { sizeBytes, storedAt } = found;
  const gone = () =>
    new DkvError('INPUT_INVALID', `${place}: the object has gone, or become shorter, while it was read.`);
  const read = async (start: number, end: number, signal?: AbortSignal): Promise<Buffer> => {
    if (start === end) return Buffer.alloc(0);
    const bytes = await objects.getRange(key, start, end - start, signal);
    if (bytes?.length !== end - start) throw gone();
    return bytes;
  };
  async function* pieces(signal?: AbortSignal): AsyncGenerator<Buffer> {
    for (let start = 0; start < sizeBytes; start += PIECE_BYTES) {
      yield read(start, Math.min(sizeBytes, start + PIECE_BYTES), signal);
    }
  }
  return {
    name: place,
    sizeBytes,
    version: new Date(storedAt).toISOString(),
    read,
    stream: (signal) => Readable.from(pieces(signal), { objectMode: false }),
  };
}

async function firstOf<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}
