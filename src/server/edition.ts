/**
 * One state of what is served: a model, and the stores of all tenants at one place, which of a catalogue is one generation of it. An edition does not
 * change; what is served changes by putting another edition in its place (shelf.ts).
 */
import { DkvError } from '../base/errors.js';
import { type Model, sameNumbers } from '../scoring/load-model.js';
import { parseAddress } from '../store/backends/address.js';
import { openCatalogue } from '../store/generations/catalogue-store.js';
import type { Generation } from '../store/generations/manifest.js';
import { openStore, type StoreOptions } from '../store/open.js';
import type { Store } from '../store/store.js';

/** Where documents are: a store, its tiers, or a generation of a catalogue. */
export type Location = string | readonly string[];

/** The last storage of a list. It says which documents there are; the ones above it are caches. */
function lastOf(location: Location): string {
  return typeof location === 'string' ? location : location.at(-1)!;
}

/** The catalogue that a location is a generation of, with the alias that names the generation; undefined where it is none. */
export interface CatalogueOf {
  /** The catalogue's own address. */
  readonly place: string;
  readonly alias: string;
  /** The generation, where the location names one itself. */
  readonly pinned: string | undefined;
}

/** @throws DkvError INPUT_INVALID for what is no address */
export function catalogueOf(location: Location): CatalogueOf | undefined {
  const last = lastOf(location);
  const address = parseAddress(last);
  if (address.kind !== 'packed') return undefined;
  const place = last.replace(/\?.*$/s, '').replace(/^packed:/, '');
  return { place, alias: address.alias ?? 'live', pinned: address.generation };
}

/**
 * The generation that a location stands for at this moment.
 * @param pinned another one of the same catalogue, by its id or the beginning of it
 * @throws DkvError INPUT_INVALID where there is none
 */
export async function generationOf(
  { place, alias, pinned: own }: CatalogueOf,
  pinned: string | undefined = own,
): Promise<Generation> {
  const catalogue = await openCatalogue(place);
  try {
    const found = pinned === undefined ? await catalogue.named(alias) : await catalogue.find(pinned);
    if (found) return found;
  } finally {
    await catalogue.close();
  }
  throw new DkvError(
    'INPUT_INVALID',
    `${place} has no alias ${alias}: pack a store into it, publish that and activate it (dkv store pack ... --publish --activate), or name a generation.`,
  );
}

/** How stores are opened, whatever they are. */
export type Storage = Pick<StoreOptions, 'timeoutMs' | 'onFailure'>;

/** A loaded model that editions share. It is closed when the last of them is. */
export class SharedModel {
  readonly model: Model;
  #users = 0;

  constructor(model: Model) {
    this.model = model;
  }

  take(): this {
    this.#users++;
    return this;
  }

  async drop(): Promise<void> {
    this.#users--;
    if (this.#users === 0) await this.model.close();
  }
}

export class Edition {
  readonly model: Model;
  readonly location: Location;
  /** The generation that is read; undefined where no catalogue is. */
  readonly generation: Generation | undefined;
  readonly shared: SharedModel;
  readonly storage: Storage;
  /** The stores by their tenants' salts. They are opened when they are first asked for. */
  readonly #stores = new Map<string, Promise<Store>>();
  #isClosed = false;

  /**
   * @param shared is taken, and dropped with the edition
   * @throws DkvError STORE_MISMATCH for a generation of another model
   */
  constructor(shared: SharedModel, location: Location, generation?: Generation, storage: Storage = {}) {
    if (generation) expectModel(shared.model, generation);
    this.shared = shared.take();
    this.model = shared.model;
    this.location = generation ? pinnedTo(location, generation.id) : location;
    this.generation = generation;
    this.storage = storage;
  }

  /** The salts of the tenants that have asked. */
  get tenantSalts(): readonly string[] {
    return [...this.#stores.keys()];
  }

  /** The store of a tenant, which is known by its salt. @throws DkvError as `openStore` */
  storeOf(tenantSalt: string): Promise<Store> {
    if (this.#isClosed) throw new DkvError('STORE_CLOSED', 'The server has closed the store.');
    let store = this.#stores.get(tenantSalt);
    if (!store) {
      store = openStore(this.location, { ...this.storage, tenantSalt });
      this.#stores.set(tenantSalt, store);
      // The next one who asks tries again.
      store.catch(() => this.#stores.delete(tenantSalt));
    }
    return store;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.allSettled([...this.#stores.values()].map(async (store) => (await store).close()));
    await this.shared.drop();
  }
}

function pinnedTo(location: Location, id: string): Location {
  const pinned = `${lastOf(location).replace(/\?.*$/s, '')}?generation=${id}`;
  return typeof location === 'string' ? pinned : [...location.slice(0, -1), pinned];
}

/** Tells whether a model gives the numbers that a generation was made with. */
export function isOfModel(model: Model, { manifest }: Generation): boolean {
  return sameNumbers(model).includes(manifest.model.fingerprint);
}

function expectModel(model: Model, generation: Generation): void {
  if (isOfModel(model, generation)) return;
  const { name, fingerprint, precision } = generation.manifest.model;
  throw new DkvError(
    'STORE_MISMATCH',
    `Generation ${generation.id} was primed with ${name ?? 'a model'} (${fingerprint.slice(0, 12)}, weights ${precision}), and ${model.name} as ${model.engine.info.computedAs} (${model.fingerprint.slice(0, 12)}) is loaded. Load that model, or activate a generation of this one.`,
  );
}
