/**
 * What is served at the moment, and what requests still read of what was served before. Putting another edition in its place is one step: a request reads one edition
 * from its beginning to its end, and an edition is closed when nobody reads it any more.
 */
import { DkvError } from '../base/errors.js';
import { catalogueOf, Edition, generationOf, type Location, type SharedModel, type Storage } from './edition.js';

/** The number of generations beside the current one that stay open for requests that name them. */
const PINNED = 4;

interface Held {
  readonly edition: Edition;
  users: number;
  isRetired: boolean;
}

export class Shelf {
  #current: Held;
  /** By the generation's id, the one used last at the end. */
  readonly #pinned = new Map<string, Held>();
  /** Generations that are being opened, so that requests that come together open each once. */
  readonly #opening = new Map<string, Promise<Held>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(first: Edition) {
    this.#current = held(first);
  }

  /** Opens what a location stands for now. @throws DkvError STORE_MISMATCH, INPUT_INVALID */
  static async open(shared: SharedModel, location: Location, storage: Storage): Promise<Shelf> {
    const catalogue = catalogueOf(location);
    return new Shelf(new Edition(shared, location, catalogue && (await generationOf(catalogue)), storage));
  }

  /** What is served now. Whoever reads it for longer than this moment asks `use`. */
  get current(): Edition {
    return this.#current.edition;
  }

  /**
   * Does something with an edition, which stays open until that ends.
   * @param generation another one of the catalogue than the current one
   * @throws DkvError INPUT_INVALID where no catalogue is served, or it has no such generation; STORE_MISMATCH for one of another model
   */
  async use<T>(generation: string | undefined, work: (edition: Edition) => Promise<T>): Promise<T> {
    let own = generation === undefined ? this.#current : await this.#pin(generation);
    // It may have made room for others, or for another model, before this had its turn.
    while (own.isRetired) own = generation === undefined ? this.#current : await this.#pin(generation);
    own.users++;
    try {
      return await work(own.edition);
    } finally {
      own.users--;
      this.#closeIfUnused(own);
    }
  }

  /** Serves another edition from now on. */
  replace(next: Edition): void {
    const before = this.#current;
    this.#current = held(next);
    this.#retire(before);
    // They would keep the model before loaded, and its numbers are not those of what is served now.
    if (next.shared === before.edition.shared) return;
    for (const own of this.#pinned.values()) this.#retire(own);
    this.#pinned.clear();
  }

  /** Closes all of it, and waits for requests that read it still. */
  async close(): Promise<void> {
    this.#retire(this.#current);
    for (const own of this.#pinned.values()) this.#retire(own);
    this.#pinned.clear();
    await Promise.all(this.#closing);
  }

  async #pin(asked: string): Promise<Held> {
    const { edition } = this.#current;
    const catalogue = catalogueOf(edition.location);
    if (!catalogue) {
      throw new DkvError(
        'INPUT_INVALID',
        'The request names a generation, and this server serves a store, which has none. Leave "generation" out.',
      );
    }
    const generation = await generationOf(catalogue, asked);
    const { id } = generation;
    if (id === edition.generation?.id) return this.#current;
    const opening =
      this.#opening.get(id) ??
      this.#openPinned(id, () => new Edition(edition.shared, edition.location, generation, edition.storage));
    return opening;
  }

  #openPinned(id: string, open: () => Edition): Promise<Held> {
    const opening = (async () => {
      const own = this.#pinned.get(id) ?? held(open());
      this.#pinned.delete(id);
      this.#pinned.set(id, own);
      const [oldest] = this.#pinned;
      if (this.#pinned.size > PINNED && oldest) {
        this.#pinned.delete(oldest[0]);
        this.#retire(oldest[1]);
      }
      return own;
    })().finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return opening;
  }

  #retire(own: Held): void {
    own.isRetired = true;
    this.#closeIfUnused(own);
  }

  #closeIfUnused(own: Held): void {
    if (!own.isRetired || own.users > 0) return;
    const closing = own.edition.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function held(edition: Edition): Held {
  return { edition, users: 0, isRetired: false };
}
