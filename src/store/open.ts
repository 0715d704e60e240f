/** From a location to a store. What is only needed for one kind of location is loaded when one is opened. */
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { expectKnownOptions } from '../base/option-names.js';
import { parse } from '../base/parse.js';
import { type FolderAddress, parseAddress, type S3Options, type StoreAddress } from './backends/address.js';
import type { Backend } from './backends/backend.js';
import { InProcessBackend } from './backends/in-process.js';
import { type OnFailure, TieredBackend } from './backends/tiered.js';
import { DirectedStore } from './directed-store.js';
import type { Store, StoreAddressed } from './store.js';

const DEFAULT_IN_PROCESS_BYTES = 1024 ** 3;
export const DEFAULT_TIMEOUT_MS = 10_000;
/** On S3 a question about takedowns is a request of its own. */
const S3_TAKEDOWNS_MS = 1000;

export interface StoreOptions {
  /**
   * The largest size of the store. When it would grow beyond, the least recently used records are removed. It applies to a single storage and not
   * to S3. 1 GiB by default for `memory:`, none for others.
   */
  readonly maxBytes?: number | undefined;
  /** The largest size of each tier of a list, in the tiers' order; undefined for a tier without one. */
  readonly tierMaxBytes?: readonly (number | undefined)[] | undefined;
  /** Open a folder only if it already holds a store, for programs that only read; false by default. */
  readonly mustExist?: boolean | undefined;
  /**
   * A text that becomes part of every key and id, so that equal documents of two tenants share nothing. It separates tenants; it does not protect
   * them.
   */
  readonly tenantSalt?: string | undefined;
  /** The time limit of one request to a server, with its repetitions, in milliseconds; 10,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** What tiers do when one of them fails: report it, or answer from the others. Writes always need the last tier. `error` by default. */
  readonly onFailure?: OnFailure | undefined;
  /**
   * For `packed:`, how long what was read of takedowns is believed, in milliseconds: a reader may serve a document for so long after it was taken down. By
   * default 0 for a folder, which asks with every read, and 1,000 for S3.
   */
  readonly takedownsMaxAgeMs?: number | undefined;
  /** The settings for `s3:`. By default the environment's, as every AWS tool reads it. */
  readonly s3?: S3Options | undefined;
}

const bytesSchema = z.number().positive();
const optionsSchema = z.strictObject({
  maxBytes: bytesSchema.optional(),
  tierMaxBytes: z.array(bytesSchema.optional()).optional(),
  mustExist: z.boolean().optional(),
  tenantSalt: z.string().optional(),
  timeoutMs: z.number().positive().optional(),
  onFailure: z.enum(['error', 'fallback']).optional(),
  takedownsMaxAgeMs: z.number().nonnegative().optional(),
  s3: z.custom<S3Options>().optional(),
});

/**
 * Opens a store.
 * @param location `memory:`, a folder, `redis://host:port/database?prefix=name` (or `rediss:`), `s3://bucket/prefix`, `packed:` before a folder or
 * bucket for a generation of a catalogue (with `?alias=name` or `?generation=id`), or a list of these, the fastest first: reads go down the list and copy what they find to the tiers above; writes go to all tiers
 * @throws DkvError INPUT_INVALID, STORE_UNREACHABLE, STORE_MISMATCH
 */
export async function openStore(location: string | readonly string[], options: StoreOptions = {}): Promise<Store> {
  expectKnownOptions(options, optionsSchema.shape, 'Options of the store');
  parse(optionsSchema, options, 'INPUT_INVALID', 'Options of the store');
  const { tenantSalt = '', tierMaxBytes = [], maxBytes } = options;
  const isOne = typeof location === 'string';
  const locations = isOne ? [location] : location;
  if (locations.length === 0)
    throw new DkvError('INPUT_INVALID', 'The list of tiers is empty: name at least one store.');
  if (!isOne && maxBytes !== undefined) {
    throw new DkvError('INPUT_INVALID', 'maxBytes is for one storage. For tiers, give tierMaxBytes, one for each.');
  }
  if (tierMaxBytes.length > (isOne ? 0 : locations.length)) {
    throw new DkvError('INPUT_INVALID', 'tierMaxBytes has more entries than there are tiers.');
  }
  // All of them are understood before the first is opened.
  const places = locations.map((own, at) => placeOf(own, isOne ? maxBytes : tierMaxBytes[at]));
  const above = places.slice(0, -1).find(({ address }) => address.kind === 'packed');
  if (above) {
    throw new DkvError(
      'INPUT_INVALID',
      `${above.location} is above another tier. A generation is the last of a list: it says which documents there are and which were taken down.`,
    );
  }
  const tiers: Backend[] = [];
  try {
    for (const place of places) tiers.push(await openBackend(place, options));
  } catch (error) {
    await Promise.allSettled(tiers.map((tier) => tier.close()));
    throw error;
  }
  const [only] = tiers;
  const backend = isOne ? only! : new TieredBackend(tiers, options.onFailure ?? 'error');
  return new DirectedStore(backend, tenantSalt, addressOf(places, tiers, isOne, options));
}

/** @returns undefined where another process would not find the same */
function addressOf(
  places: readonly Place[],
  tiers: readonly Backend[],
  isOne: boolean,
  options: StoreOptions,
): StoreAddressed | undefined {
  if (places.some(({ address }) => address.kind === 'memory')) return undefined;
  const locations = places.map(({ address, location }, at) => {
    if (address.kind === 'folder') return address.path;
    // The alias may name another generation by the time that the other process asks.
    return address.kind === 'packed' ? tiers[at]!.location : location;
  });
  return { location: isOne ? locations[0]! : locations, options: { ...options } };
}

interface Place {
  readonly location: string;
  readonly address: StoreAddress;
  readonly maxBytes: number | undefined;
}

function placeOf(location: string, maxBytes: number | undefined): Place {
  const address = parseAddress(location);
  if (address.kind === 'packed' && maxBytes !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${location}: a generation has the size that it was packed with, and no maximum.`,
    );
  }
  if (address.kind === 's3' && maxBytes !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${address.shown}: S3 has no order of use, so no maximum size. Use gc or the bucket's rules.`,
    );
  }
  // Another process may stand in another folder, and this one in another by the time that the store is opened.
  if (address.kind === 'folder') return { location, address: resolved(address), maxBytes };
  if (address.kind === 'packed' && address.place.kind === 'folder') {
    return { location, address: { ...address, place: resolved(address.place) }, maxBytes };
  }
  return { location, address, maxBytes };
}

function resolved(address: FolderAddress): FolderAddress {
  return { ...address, path: path.resolve(address.path) };
}

async function openBackend({ address, maxBytes }: Place, options: StoreOptions): Promise<Backend> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, mustExist = false, s3 = {} } = options;
  const cap = maxBytes ?? Number.POSITIVE_INFINITY;
  switch (address.kind) {
    case 'memory':
      return new InProcessBackend(maxBytes ?? DEFAULT_IN_PROCESS_BYTES);
    case 'folder': {
      const { LmdbBackend } = await import('./backends/lmdb.js');
      return LmdbBackend.open(address.path, cap, mustExist);
    }
    case 'redis': {
      const { RedisBackend } = await import('./backends/redis.js');
      return RedisBackend.open(address, cap, timeoutMs);
    }
    case 's3': {
      const { S3Backend } = await import('./backends/s3.js');
      return new S3Backend(address, timeoutMs, s3);
    }
    case 'packed': {
      const { PackedBackend } = await import('./generations/packed.js');
      const { openFiles } = await import('./generations/open-files.js');
      const { isCatalogueFolder } = await import('./generations/place.js');
      // Says what a folder is that is no catalogue.
      if (address.place.kind === 'folder') await isCatalogueFolder(address.place.path);
      const maxAgeMs = options.takedownsMaxAgeMs ?? (address.place.kind === 's3' ? S3_TAKEDOWNS_MS : 0);
      return PackedBackend.open(await openFiles(address.place, { timeoutMs, s3 }), address, maxAgeMs);
    }
  }
}
