/**
 * A storage that reads one generation of a catalogue. It is read-only: documents change by packing and publishing another generation. What was taken down
 * is not served, whatever the generation holds.
 */
import { DkvError } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import {
  type Backend,
  type Decode,
  type Expiring,
  type Found,
  foundIn,
  readingTurns,
  type Usage,
} from '../backends/backend.js';
import { isDamage } from '../records/damage.js';
import { inspectRecord } from '../records/record.js';
import { DEFAULT_ALIAS, readAlias } from './aliases.js';
import { findGeneration, readGeneration } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { HEADROOM } from './heads.js';
import { GenerationReader, type LayeredEntry } from './layers.js';
import { Lease } from './leases.js';
import { type Generation, shardsOf } from './manifest.js';
import type { Place } from './shard.js';
import { isHidden, Takedowns } from './takedowns.js';

/** The number of requests that one reading has under way. */
const PARALLEL = 16;
/** The number of records whose places are remembered. */
const REMEMBERED = 100_000;
/** How often a reader tries to follow an alias whose generation is just being collected. */
const TRIES = 5;
/** Memory for records is taken in steps, so that one of another length fits as well. */
const SCRATCH_STEP = 64 * 1024;
const PLACE = /^([0-9a-f]{80}):([0-9a-f]{64}):(\d{1,15})\+(\d{1,10})$/;

/** Which generation of a catalogue is read. */
export interface WhichGeneration {
  /** The alias that names it; `live` by default. */
  readonly alias?: string | undefined;
  /** Its id, or the beginning of it, instead of an alias. */
  readonly generation?: string | undefined;
}

/** Where a record is, and the document that it is of. */
interface KnownPlace extends Place {
  readonly slot: string;
  /** The digest of the shard. */
  readonly shard: string;
}

export class PackedBackend implements Backend {
  readonly location: string;
  readonly places: readonly string[];
  readonly isReadOnly = true;
  readonly hasTakedowns = true;
  /** The generation that is read until this is closed, whatever its alias names later. */
  readonly generation: Generation;
  readonly #files: CatalogueFiles;
  readonly #reader: GenerationReader;
  readonly #takedowns: Takedowns;
  readonly #lease: Lease | undefined;
  readonly #notes: ReadonlyMap<string, Buffer>;
  readonly #known = new Map<string, KnownPlace>();
  /** Memory that no reading uses now. */
  readonly #scratch: Buffer[] = [];

  private constructor(files: CatalogueFiles, generation: Generation, takedowns: Takedowns, lease: Lease | undefined) {
    this.location = `packed:${files.location}?generation=${generation.id}`;
    this.places = [this.location];
    this.generation = generation;
    this.#files = files;
    this.#reader = new GenerationReader(files, generation);
    this.#takedowns = takedowns;
    this.#lease = lease;
    this.#notes = new Map(generation.manifest.notes.map(([slot, bytes]) => [slot, Buffer.from(bytes, 'base64')]));
  }

  /**
   * Opens a generation and takes a lease on it.
   * @param files are closed with it
   * @param takedownsMaxAgeMs how long what was read of takedowns is believed
   * @throws DkvError INPUT_INVALID when there is no such alias or generation, STORE_DAMAGED
   */
  static async open(files: CatalogueFiles, which: WhichGeneration, takedownsMaxAgeMs: number): Promise<PackedBackend> {
    const takedowns = new Takedowns(files, { maxAgeMs: takedownsMaxAgeMs, mustExist: true });
    for (let tries = 1; ; tries++) {
      const id = await idOf(files, which, takedowns);
      const lease = await Lease.take(files, id);
      const generation = await readGeneration(files, id).catch(async (error: unknown) => {
        await lease?.release();
        throw error;
      });
      if (generation) return new PackedBackend(files, generation, takedowns, lease);
      await lease?.release();
      if (tries === TRIES || which.generation !== undefined) {
        throw new DkvError(
          'STORE_DAMAGED',
          `${files.location}: generation ${id} is not there any more. Activate another one.`,
        );
      }
    }
  }

  async readSlots(slots: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const isDown = await this.#takedowns.hidden();
    const found = new Array<Uint8Array | undefined>(slots.length);
    await inParallel(slots.entries(), PARALLEL, async ([at, slot]) => {
      const note = this.#notes.get(slot);
      const entry = note || isDown(slot) ? undefined : await this.#reader.find(slot);
      if (entry) this.#remember(entry);
      found[at] = note ?? entry?.entry;
    });
    return found;
  }

  async read<T extends Expiring>(
    keys: readonly string[],
    decode: Decode<T>,
    signal?: AbortSignal,
  ): Promise<Found<T>[]> {
    const places = await this.#placesOf(keys, signal);
    const turns = readingTurns(signal);
    const found = new Array<Found<T>>(keys.length);
    await inParallel(keys.entries(), PARALLEL, async ([at, key]) => {
      const place = places.get(key);
      if (!place) return;
      const { shard, ...where } = place;
      const scratch = this.#scratchFor(place.length);
      const bytes = await this.#reader
        .shardOf(shard)!
        .record(where, signal, scratch)
        .catch((error: unknown) => {
          if (isDamage(error)) return error;
          throw error;
        });
      await turns.breathe();
      found[at] = bytes instanceof DkvError ? bytes : foundIn(() => decode(bytes, key));
      if (this.#scratch.length < PARALLEL) this.#scratch.push(scratch);
    });
    return found;
  }

  async check<T extends Expiring>(key: string, decode: Decode<T>): Promise<T | undefined> {
    const [found] = await this.read([key], decode);
    if (found instanceof DkvError) throw found;
    return found;
  }

  async has(key: string, now: number): Promise<boolean> {
    const found = await this.check(key, (bytes) => inspectRecord(bytes, key));
    return found !== undefined && (found.expiresAt ?? Number.POSITIVE_INFINITY) > now;
  }

  async *keys(): AsyncIterable<string> {
    const seen = new Set<string>();
    for await (const entry of this.#visible()) {
      this.#remember(entry);
      for (const key of entry.places.keys()) {
        if (seen.has(key)) continue;
        seen.add(key);
        yield key;
      }
    }
  }

  async *slots(): AsyncIterable<string> {
    yield* this.#notes.keys();
    for await (const { slot } of this.#visible()) yield slot;
  }

  async usage(): Promise<Usage> {
    const { manifest } = this.generation;
    const shards = shardsOf(manifest);
    let hidden = 0;
    for (const [slot, takedown] of await this.#takedowns.all()) {
      if (isHidden(takedown) && (await this.#reader.find(slot))) hidden++;
    }
    const sum = (of: (shard: (typeof shards)[number]) => number) => shards.reduce((all, shard) => all + of(shard), 0);
    return {
      documents: manifest.documents - hidden + manifest.notes.length,
      records: sum(({ records }) => records),
      sizeBytes: sum(({ recordBytes }) => recordBytes),
      pinned: 0,
    };
  }

  async visible(keys: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await this.#placesOf(keys)).keys());
  }

  /** Where a record is, for another reader of the same catalogue; undefined where that was not read. */
  placeOf(key: string): string | undefined {
    const known = this.#known.get(key);
    return known && `${known.slot}:${known.shard}:${known.offset}+${known.length}`;
  }

  /** Takes in where another reader found a record. What is wrong about it is found out by the record's checksum. */
  learn(key: string, place: string): void {
    const [, slot, shard, offset, length] = PLACE.exec(place) ?? [];
    if (slot === undefined || shard === undefined || !this.#reader.shardOf(shard)) return;
    this.#know(key, { slot, shard, offset: Number(offset), length: Number(length) });
  }

  write(): Promise<never> {
    return this.#refuse();
  }
  deleteSlot(): Promise<never> {
    return this.#refuse();
  }
  remove(): Promise<never> {
    return this.#refuse();
  }
  pin(): Promise<never> {
    return this.#refuse();
  }
  unpin(): Promise<never> {
    return this.#refuse();
  }
  collect(): Promise<never> {
    return this.#refuse();
  }

  async close(): Promise<void> {
    await this.#lease?.release();
    await this.#files.close();
  }

  /** The documents that are not taken down. */
  async *#visible(): AsyncGenerator<LayeredEntry> {
    for await (const entry of this.#reader.documents()) {
      const isDown = await this.#takedowns.hidden();
      if (!isDown(entry.slot)) yield entry;
    }
  }

  /** Finds where records are: what documents were read before says so; what is left is looked for in all of them. */
  async #placesOf(keys: readonly string[], signal?: AbortSignal): Promise<Map<string, KnownPlace>> {
    const isDown = await this.#takedowns.hidden();
    const places = new Map<string, KnownPlace>();
    const unknown = new Set<string>();
    for (const key of keys) {
      const known = this.#known.get(key);
      if (known && !isDown(known.slot)) places.set(key, known);
      else unknown.add(key);
    }
    if (unknown.size === 0) return places;
    for await (const entry of this.#visible()) {
      if (signal?.aborted) throw new DkvError('CANCELLED', 'Reading from the store was stopped.');
      for (const key of entry.places.keys()) {
        if (!unknown.delete(key)) continue;
        this.#remember(entry);
        places.set(key, this.#known.get(key)!);
      }
      if (unknown.size === 0) break;
    }
    return places;
  }

  /** Memory for a record of so many bytes and what is put before it. Memory that was used before is touched already. */
  #scratchFor(length: number): Buffer {
    const needed = HEADROOM + length;
    const used = this.#scratch.pop();
    return used && used.length >= needed
      ? used
      : Buffer.allocUnsafeSlow(Math.ceil(needed / SCRATCH_STEP) * SCRATCH_STEP);
  }

  #remember({ slot, shard, places }: LayeredEntry): void {
    for (const [key, place] of places) this.#know(key, { slot, shard: shard.facts.digest, ...place });
  }

  #know(key: string, place: KnownPlace): void {
    this.#known.delete(key);
    this.#known.set(key, place);
    if (this.#known.size <= REMEMBERED) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }

  async #refuse(): Promise<never> {
    throw new DkvError(
      'STORE_READONLY',
      `${this.location} is a published generation, which nothing changes. Prime or import into a store and pack that (dkv store pack); take documents down with dkv store takedown, and generations away with dkv store collect.`,
    );
  }
}

async function idOf(
  files: CatalogueFiles,
  { alias = DEFAULT_ALIAS, generation }: WhichGeneration,
  takedowns: Takedowns,
) {
  if (generation !== undefined) return (await findGeneration(files, generation)).id;
  const state = await readAlias(files, alias);
  if (!state) {
    throw new DkvError(
      'INPUT_INVALID',
      `${files.location} has no alias ${alias}: pack a store into it, publish that and activate it, or name a generation.`,
    );
  }
  await takedowns.expectAtLeast(state.takedowns);
  return state.generation;
}
