/**
 * How another generation comes to be served: it is opened first, with its model where that is another one, then the catalogue's alias names it, and then it takes the
 * place of what is served. Requests that are under way end on what they began with. Aliases that somebody else changes are followed with the same care.
 */
import { DkvError, messageOf } from '../base/errors.js';
import type { Model } from '../scoring/load-model.js';
import type { Activated } from '../store/generations/catalogue-options.js';
import { type Catalogue, openCatalogue } from '../store/generations/catalogue-store.js';
import type { CatalogueListing } from '../store/generations/listing.js';
import type { Generation } from '../store/generations/manifest.js';
import { type CatalogueOf, catalogueOf, Edition, isOfModel, type Location, SharedModel } from './edition.js';
import type { Shelf } from './shelf.js';

/** What is to be activated, and why. */
export interface ActivationAsked {
  readonly alias: string;
  /** The generation: its id, the beginning of it, or another alias. Undefined for what the alias named before. */
  readonly generation: string | undefined;
  readonly reason: string | undefined;
  /** The model to load where the generation is of another one; by default the one that the generation names. */
  readonly model: string | undefined;
}

export interface ActivationOptions {
  /** Loads a model by its name. */
  readonly load: (name: string) => Promise<Model>;
  /** Told why what the alias names is not served, each time that the reason is another one; with undefined once it is. */
  readonly onProblem?: (problem: string | undefined) => void;
}

export class Activation {
  readonly #shelf: Shelf;
  readonly #location: Location;
  readonly #options: ActivationOptions;
  /** Names of models that were loaded, by the fingerprints of generations that they are the models of, so that going back needs no name. */
  readonly #names = new Map<string, string>();
  #turn: Promise<unknown> = Promise.resolve();
  #problem: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param location as the settings name it */
  constructor(shelf: Shelf, location: Location, options: ActivationOptions) {
    this.#shelf = shelf;
    this.#location = location;
    this.#options = options;
  }

  /** Why the generation that the alias names is not served; undefined where it is. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** The alias whose generation is served; undefined where a generation is served that the settings name. */
  get servedAlias(): string | undefined {
    const catalogue = catalogueOf(this.#location);
    return catalogue?.pinned === undefined ? catalogue?.alias : undefined;
  }

  /**
   * Lets an alias name a generation. If it is the alias that is served, its generation is served when this returns, and before that nothing has changed.
   * @throws DkvError INPUT_INVALID where no catalogue is served, or it has no such generation; STORE_MISMATCH where the model is not the generation's; what loading throws
   */
  activate({ alias, generation: asked, reason, model }: ActivationAsked): Promise<Activated> {
    const why = { alias, ...(reason !== undefined && { reason }) };
    return this.#inTurn((catalogue) =>
      this.#withNext(
        alias,
        asked === undefined ? earlierOf(catalogue, alias) : catalogue.find(asked),
        model,
        ({ id }) => (asked === undefined ? rolledBack(catalogue, why, id) : catalogue.activate(id, why)),
      ),
    );
  }

  /** What the catalogue has. @throws DkvError INPUT_INVALID where none is served */
  listing(): Promise<CatalogueListing> {
    return this.#inTurn((catalogue) => catalogue.generations());
  }

  /** Serves what the alias names by now, if somebody else has changed it. It never throws. */
  async follow(): Promise<void> {
    const alias = this.servedAlias;
    if (alias === undefined || this.#isClosed) return;
    try {
      await this.#inTurn(async (catalogue) => {
        const named = await catalogue.named(alias);
        if (named && named.id !== this.#shelf.current.generation?.id)
          await this.#withNext(alias, named, undefined, () => undefined);
      });
      this.#tell(undefined);
    } catch (error) {
      this.#tell(messageOf(error));
    }
  }

  /** Looks at the alias again and again. */
  watch(everyMs: number): void {
    if (this.servedAlias === undefined) return;
    const next = () => {
      if (this.#isClosed) return;
      this.#timer = setTimeout(() => void this.follow().finally(next), everyMs).unref();
    };
    next();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#turn;
  }

  #tell(problem: string | undefined): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem?.(problem);
  }

  /** Does one thing after the other, each with the catalogue open. */
  async #inTurn<T>(work: (catalogue: Catalogue) => Promise<T>): Promise<T> {
    const catalogueAt = expectCatalogue(this.#location);
    const before = this.#turn;
    const turn = (async () => {
      await before;
      if (this.#isClosed) throw new DkvError('SERVER_CLOSING', 'The server is ending, and changes nothing any more.');
      const catalogue = await openCatalogue(catalogueAt.place);
      try {
        return await work(catalogue);
      } finally {
        await catalogue.close();
      }
    })();
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Opens a generation, switches the alias, and serves the generation if the alias is the one that is served. */
  async #withNext<T>(
    alias: string,
    asked: Generation | Promise<Generation>,
    model: string | undefined,
    change: (generation: Generation) => T | Promise<T>,
  ): Promise<T> {
    const generation = await asked;
    if (alias !== this.servedAlias || generation.id === this.#shelf.current.generation?.id) return change(generation);
    const next = await this.#open(generation, model);
    try {
      const changed = await change(generation);
      this.#shelf.replace(next);
      return changed;
    } catch (error) {
      await next.close();
      throw error;
    }
  }

  /** An edition whose stores are open for the tenants that ask at present. */
  async #open(generation: Generation, name: string | undefined): Promise<Edition> {
    const { shared: current, location, storage, tenantSalts } = this.#shelf.current;
    const shared = isOfModel(current.model, generation) ? current : await this.#loaded(generation, name);
    let next: Edition | undefined;
    // Held until the edition holds it.
    shared.take();
    try {
      next = new Edition(shared, location, generation, storage);
      await Promise.all(tenantSalts.map((salt) => next!.storeOf(salt)));
      return next;
    } catch (error) {
      await next?.close();
      throw error;
    } finally {
      await shared.drop();
    }
  }

  async #loaded({ id, manifest }: Generation, asked: string | undefined): Promise<SharedModel> {
    const { name: stated, fingerprint } = manifest.model;
    const name = asked ?? this.#names.get(fingerprint) ?? stated;
    if (name === null) {
      throw new DkvError('INPUT_INVALID', `Generation ${id} does not say which model it is of. Name it as "model".`);
    }
    const model = await this.#options.load(name).catch((error: unknown) => {
      if (!(error instanceof DkvError)) throw error;
      throw new DkvError(
        error.code,
        `Generation ${id} is of another model than the one that is loaded, and ${JSON.stringify(name)} cannot be loaded: ${error.message} Name it as "model": a folder, or a repository on the hub.`,
      );
    });
    this.#names.set(model.fingerprint, name);
    return new SharedModel(model);
  }
}

/** @throws DkvError INPUT_INVALID */
function expectCatalogue(location: Location): CatalogueOf {
  const catalogue = catalogueOf(location);
  if (catalogue) return catalogue;
  throw new DkvError(
    'INPUT_INVALID',
    'This server serves a store, which has no generations and no aliases. Serve a catalogue: packed:PLACE (docs/generations.md).',
  );
}

/** The generation that an alias named before. @throws DkvError INPUT_INVALID where there is none */
async function earlierOf(catalogue: Catalogue, alias: string): Promise<Generation> {
  const { aliases } = await catalogue.generations();
  const [earlier] = aliases.get(alias)?.earlier ?? [];
  if (earlier) return catalogue.find(earlier.generation);
  throw new DkvError('INPUT_INVALID', `${catalogue.location}: alias ${alias} named no other generation before.`);
}

/** @param expected the generation that was opened for it */
async function rolledBack(
  catalogue: Catalogue,
  why: { readonly alias: string; readonly reason?: string },
  expected: string,
): Promise<Activated> {
  const changed = await catalogue.rollBack(why);
  if (changed.generation === expected) return changed;
  throw new DkvError(
    'STORE_BUSY',
    `Alias ${why.alias} was changed by somebody else meanwhile, and names ${changed.generation} now. Look at it and try again.`,
  );
}
