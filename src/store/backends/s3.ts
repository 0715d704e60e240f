/**
 * The store on S3 or what speaks its protocol, shared by machines, as large as the bucket. One object a record (`records/`), a
 * document (`documents/`) and a pin (`pins/`). A document's object is written after its records and names them: readers see the old
 * document or the new one. S3 keeps no order of use, so there is no maximum size.
 */
import { DkvError } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import type { Collected } from '../store.js';
import type { S3Address, S3Options } from './address.js';
import {
  type Backend,
  type Blob,
  type Decode,
  type Expiring,
  type Found,
  foundIn,
  readingTurns,
  type Slot,
  type Usage,
} from './backend.js';
import { type S3Listed, S3Objects } from './s3-objects.js';

/** The metadata that tell `collect` when an object expires and which records a document needs, without knowing their formats. */
const EXPIRES = 'dkv-expires';
const NEEDS = 'dkv-needs';
const NEVER = 'never';
const MOST_VARIANTS = 28;
/** The number of requests that one reading or collection has under way. */
const PARALLEL = 16;

export class S3Backend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly isReadOnly = false;
  readonly #objects: S3Objects;

  /** @throws DkvError INPUT_INVALID for an endpoint that is none */
  constructor(address: S3Address, timeoutMs: number, options: S3Options) {
    this.location = address.shown;
    this.places = [address.shown];
    this.#objects = new S3Objects(address, timeoutMs, options);
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    const turns = readingTurns(signal);
    const found = new Array<Found<T>>(keys.length);
    await inParallel(keys.entries(), PARALLEL, async ([at, key]) => {
      const bytes = await this.#get(`records/${key}`);
      await turns.breathe();
      found[at] = bytes && foundIn(() => decode(bytes, key));
    });
    return found;
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    const bytes = await this.#get(`records/${key}`);
    return bytes && decode(bytes, key);
  }

  async has(key: string, now: number): Promise<boolean> {
    const about = await this.#objects.head(`records/${key}`);
    return about !== undefined && !isPast(about, now);
  }

  async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
    // S3 takes 2 KB of metadata.
    if (slot && slot.keys.length > MOST_VARIANTS) {
      throw new DkvError(
        'INPUT_INVALID',
        `A document on S3 has at most ${MOST_VARIANTS} variants, not ${slot.keys.length}.`,
      );
    }
    await inParallel(blobs, PARALLEL, ({ key, bytes, expiresAt }) =>
      this.#objects.put(`records/${key}`, bytes, expiry(expiresAt)),
    );
    if (!slot) return;
    const needs = { [NEEDS]: slot.keys.join(',') };
    await this.#objects.put(`documents/${slot.slot}`, slot.bytes, { ...expiry(slot.expiresAt), ...needs });
    // A collection under way may have taken a record that was not needed before this.
    await inParallel(blobs, PARALLEL, async ({ key, bytes, expiresAt }) => {
      if (!(await this.#objects.head(`records/${key}`)))
        await this.#objects.put(`records/${key}`, bytes, expiry(expiresAt));
    });
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const found = new Array<Uint8Array | undefined>(slots.length);
    await inParallel(slots.entries(), PARALLEL, async ([at, slot]) => {
      found[at] = await this.#get(`documents/${slot}`);
    });
    return found;
  }

  async deleteSlot(slot: string): Promise<boolean> {
    const present = (await this.#objects.head(`documents/${slot}`)) !== undefined;
    await this.#objects.delete(`documents/${slot}`);
    return present;
  }

  async remove(key: string): Promise<void> {
    await this.#objects.delete(`records/${key}`);
  }

  async *keys(): AsyncIterable<string> {
    for await (const { name } of this.#objects.list('records/')) yield name;
  }

  async *slots(): AsyncIterable<string> {
    for await (const { name } of this.#objects.list('documents/')) yield name;
  }

  async pin(key: string): Promise<void> {
    await this.#objects.put(`pins/${key}`, new Uint8Array(), {});
  }

  async unpin(key: string): Promise<void> {
    await this.#objects.delete(`pins/${key}`);
  }

  async usage(): Promise<Usage> {
    let [records, sizeBytes] = [0, 0];
    for await (const listed of this.#objects.list('records/')) {
      records++;
      sizeBytes += listed.sizeBytes;
    }
    const [documents, pinned] = await Promise.all([
      count(this.#objects.list('documents/')),
      count(this.#objects.list('pins/')),
    ]);
    return { records, documents, pinned, sizeBytes };
  }

  /**
   * Removes what has expired or is not needed. Records are listed before documents are read, so that a record that is needed by then is seen to be.
   */
  async collect(now: number, minimumAgeMs: number): Promise<Collected> {
    const records = await all(this.#objects.list('records/'));
    const needed = new Set((await all(this.#objects.list('pins/'))).map(({ name }) => name));
    let documents = 0;
    await inParallel(await all(this.#objects.list('documents/')), PARALLEL, async ({ name }) => {
      const about = await this.#objects.head(`documents/${name}`);
      if (!about) return;
      if (isPast(about, now)) {
        documents++;
        await this.#objects.delete(`documents/${name}`);
      } else for (const key of about[NEEDS]?.split(',') ?? []) needed.add(key);
    });
    let [removed, sizeBytes] = [0, 0];
    await inParallel(records, PARALLEL, async (listed) => {
      if (!(await this.#isCollectable(listed, needed, now, minimumAgeMs))) return;
      await this.#objects.delete(`records/${listed.name}`);
      removed++;
      sizeBytes += listed.sizeBytes;
    });
    return { records: removed, sizeBytes, documents };
  }

  async close(): Promise<void> {
    this.#objects.close();
  }

  async #isCollectable(
    { name, storedAt }: S3Listed,
    needed: ReadonlySet<string>,
    now: number,
    minimumAgeMs: number,
  ): Promise<boolean> {
    const about = await this.#objects.head(`records/${name}`);
    if (!about) return false;
    if (isPast(about, now)) return true;
    // Times of S3 are whole seconds: one that was listed has been there for less than it seems.
    return !needed.has(name) && Math.max(storedAt, Number(about.storedAt)) <= now - minimumAgeMs;
  }

  async #get(name: string): Promise<Uint8Array | undefined> {
    return (await this.#objects.get(name))?.bytes;
  }
}

function expiry(expiresAt: number | undefined): Record<string, string> {
  // In any case, since some servers keep what the object before had and the new one does not name.
  return { [EXPIRES]: String(expiresAt ?? NEVER) };
}

function isPast(about: Record<string, string>, now: number): boolean {
  const expiresAt = about[EXPIRES] ?? NEVER;
  return expiresAt !== NEVER && Number(expiresAt) <= now;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function count(items: AsyncIterable<unknown>): Promise<number> {
  return (await all(items)).length;
}
