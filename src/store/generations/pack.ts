/**
 * From a store to a generation: its documents as shards, all of them or what changed since another generation. What is packed is a draft until it is
 * published.
 */
import { Breather } from '../../base/breather.js';
import { asBuffer } from '../../base/bytes.js';
import { DkvError } from '../../base/errors.js';
import { encodeEntry, inspectEntry, slotOf, tenantOf } from '../records/entry.js';
import type { Store } from '../store.js';
import { missingRecords } from '../transfer.js';
import { manifestName } from './catalogue.js';
import type { CatalogueFiles } from './files.js';
import { bitsFor, LayerWriter } from './layer-writer.js';
import { GenerationReader } from './layers.js';
import { Lease } from './leases.js';
import { encodeManifest, type Generation, type Layer, type Manifest } from './manifest.js';
import { ModelKinds } from './model-kinds.js';
import { notesOf } from './notes.js';
import { Takedowns } from './takedowns.js';

const REPORT_EVERY = 256;

export interface PackOptions {
  /** The generation that a delta is made to. By default all documents are packed, as a base. */
  readonly parent?: Generation | undefined;
  /** Ids of documents that a delta has whether they differ or not, since the parent's records of them are damaged. */
  readonly again?: ReadonlySet<string> | undefined;
  /** The salt that the store was opened with. */
  readonly tenantSalt?: string | undefined;
  /** The size of a shard that is aimed at; 64 MiB by default. */
  readonly shardBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PackProgress) => void) | undefined;
}

export interface PackProgress {
  readonly done: number;
  /** The number of documents that are to be looked at. */
  readonly of: number;
}

export interface Packed {
  readonly generation: Generation;
  /** The number of documents that the last layer has, and of those that it takes out. */
  readonly packed: number;
  readonly removed: number;
  readonly unchanged: number;
  /** The number of documents left out because some of their records are gone, by eviction or expiry. */
  readonly incomplete: number;
  /** The number of documents of the store that are taken down and so not in the last layer. */
  readonly takenDown: number;
  /** The number of bytes written: shards that were not there already, and the manifest. */
  readonly writtenBytes: number;
}

/**
 * Packs a store into a catalogue.
 * @throws DkvError STORE_MISMATCH for records of several models, or another model than the parent's; STORE_DAMAGED, CANCELLED, INPUT_INVALID for a store
 * without documents
 */
export async function packStore(store: Store, files: CatalogueFiles, options: PackOptions = {}): Promise<Packed> {
  const lease = await Lease.take(files, 'packing');
  try {
    return await new Packing(store, files, options).run();
  } finally {
    await lease?.release();
  }
}

interface Change {
  readonly slot: string;
  /** Undefined for a document that is gone. */
  readonly id: string | undefined;
}

class Packing {
  readonly #store: Store;
  readonly #files: CatalogueFiles;
  readonly #options: PackOptions;
  readonly #salt: string;
  readonly #kinds = new ModelKinds();
  readonly #variants = new Map<string, number>();
  readonly #turns: Breather;
  #documents = 0;
  #incomplete = 0;
  #takenDown = 0;

  constructor(store: Store, files: CatalogueFiles, options: PackOptions) {
    this.#store = store;
    this.#files = files;
    this.#options = options;
    this.#salt = options.tenantSalt ?? '';
    this.#turns = new Breather(options.signal, 'Stopped; shards that are whole stay. Start again to go on.');
  }

  async run(): Promise<Packed> {
    const { parent, shardBytes } = this.#options;
    const tenant = tenantOf(this.#salt);
    if (parent && parent.manifest.tenant !== tenant) {
      throw new DkvError(
        'STORE_MISMATCH',
        `Generation ${parent.id} is of another tenant than the store was opened for.`,
      );
    }
    const { documents, sizeBytes } = await this.#store.stats();
    const { changes, unchanged } = await this.#changes(documents);
    const changed = changes.filter(({ id }) => id !== undefined).length;
    const share = documents === 0 ? 0 : changed / documents;
    const writer = new LayerWriter(this.#files, { tenant, bits: bitsFor(sizeBytes * share, shardBytes) });
    let [packed, removed] = [0, 0];
    for (const { slot, id } of changes) {
      await this.#turns.breathe();
      const isPacked = id !== undefined && (await this.#add(writer, slot, id));
      if (isPacked) packed++;
      else if (id === undefined || parent) {
        // What became incomplete is not served as it was before either.
        await writer.addTombstone(slot);
        removed++;
      }
      if ((packed + removed) % REPORT_EVERY === 0)
        this.#report(documents + packed + removed, documents + changes.length);
    }
    const layer = await writer.finish();
    const manifest = await this.#manifest(tenant, layer);
    const { id, bytes } = encodeManifest(manifest);
    await this.#files.put(manifestName(id, 'drafts'), bytes);
    return {
      generation: { id, manifest },
      packed,
      removed,
      unchanged,
      incomplete: this.#incomplete,
      takenDown: this.#takenDown,
      writtenBytes: writer.writtenBytes + bytes.length,
    };
  }

  /** What differs from the parent, in the order of slots. What is taken down stays as the parent has it, and is not packed again. */
  async #changes(documents: number): Promise<{ readonly changes: Change[]; readonly unchanged: number }> {
    const changes: Change[] = [];
    const slots = new Map<string, string>();
    const isDown = await new Takedowns(this.#files).hidden();
    for await (const id of this.#store.ids()) {
      await this.#turns.breathe();
      slots.set(slotOf(id, this.#salt), id);
    }
    let unchanged = 0;
    const { parent, again } = this.#options;
    if (parent) {
      const reader = new GenerationReader(this.#files, parent);
      let looked = 0;
      for await (const { slot, entry } of reader.documents()) {
        await this.#turns.breathe();
        if (++looked % REPORT_EVERY === 0) this.#report(looked, documents);
        const id = slots.get(slot);
        const own = id === undefined ? undefined : await this.#store.entry(id);
        if (!own) {
          changes.push({ slot, id: undefined });
          slots.delete(slot);
        } else if (isDown(slot) || (!again?.has(own.id) && asBuffer(encodeEntry(own)).equals(entry))) {
          this.#count(inspectEntry(entry, slot).variants.map(([variant]) => variant));
          if (isDown(slot)) this.#takenDown++;
          else unchanged++;
          slots.delete(slot);
        }
      }
    }
    for (const [slot, id] of slots) {
      if (isDown(slot)) this.#takenDown++;
      else changes.push({ slot, id });
    }
    changes.sort((one, other) => (one.slot < other.slot ? -1 : 1));
    return { changes, unchanged };
  }

  /** @returns false for a document that cannot be packed */
  async #add(writer: LayerWriter, slot: string, id: string): Promise<boolean> {
    const entry = await this.#store.entry(id);
    const records = entry && (await missingRecords(this.#store, entry, () => false));
    if (!entry || !records) {
      this.#incomplete++;
      return false;
    }
    for (const bytes of records.values()) this.#kinds.expect(bytes, id);
    const document = { slot, entry: encodeEntry(entry), keys: Object.values(entry.variants) };
    await writer.add(document, async (key) => records.get(key)!);
    this.#count(Object.keys(entry.variants));
    return true;
  }

  #count(variants: readonly string[]): void {
    this.#documents++;
    for (const variant of variants) this.#variants.set(variant, (this.#variants.get(variant) ?? 0) + 1);
  }

  async #manifest(tenant: string, layer: Layer): Promise<Manifest> {
    const { parent } = this.#options;
    const { notes, name } = await notesOf(this.#store, this.#salt);
    const { model, states } = this.#kinds.facts(parent?.manifest);
    return {
      format: 'directed-kvcache generation',
      version: 1,
      parent: parent?.id ?? null,
      madeAt: Date.now(),
      model: { name, ...model },
      states,
      variants: [...this.#variants],
      tenant,
      documents: this.#documents,
      notes,
      layers: [...(parent?.manifest.layers ?? []), layer],
    };
  }

  #report(done: number, of: number): void {
    this.#options.onProgress?.({ done, of });
  }
}
