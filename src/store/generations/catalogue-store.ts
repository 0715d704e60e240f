/** Everything that is done with a catalogue, in one place: what `dkv store` and programs ask for. */
import { DkvError } from '../../base/errors.js';
import { inParallel } from '../../base/parallel.js';
import { DEFAULT_TIMEOUT_MS } from '../open.js';
import { slotOf, tenantOf } from '../records/entry.js';
import type { Store } from '../store.js';
import { activate, DEFAULT_ALIAS, readAlias, rollBack } from './aliases.js';
import { type AuditLine, readAudit, writeAudit } from './audit.js';
import { findGeneration, latestIn, listGenerations, manifestName, readGeneration } from './catalogue.js';
import type {
  Activated,
  ActivationOptions,
  CatalogueOptions,
  CollectGenerationsOptions,
  Lifted,
  PackedInto,
  PackIntoOptions,
  TakenDown,
} from './catalogue-options.js';
import { type CollectedGenerations, collect } from './collect.js';
import { type Compacted, type CompactOptions, compact } from './compact.js';
import { type Difference, differences } from './diff.js';
import type { CatalogueFiles } from './files.js';
import { GenerationReader } from './layers.js';
import { type CatalogueListing, listingOf } from './listing.js';
import type { Generation } from './manifest.js';
import { openFiles } from './open-files.js';
import { packStore } from './pack.js';
import { catalogueAddress, expectCatalogue } from './place.js';
import { publish } from './publish.js';
import { RehearsedFiles } from './rehearsal.js';
import { type RepairedFile, repairFrom } from './repair.js';
import { type LostDocument, lostDocuments } from './salvage.js';
import { isHidden, type Takedown, Takedowns } from './takedowns.js';
import { inTurn } from './turns.js';
import {
  type CatalogueVerification,
  type DamagedFile,
  type VerifyCatalogueOptions,
  verifyCatalogue,
} from './verify.js';

/** The number of files that are written or looked at together. */
const PARALLEL = 16;

/**
 * Opens a catalogue of generations.
 * @param location a folder or s3://bucket/prefix, `packed:` before it or not
 * @throws DkvError INPUT_INVALID where there is none, or something else; STORE_UNREACHABLE, STORE_DENIED
 */
export async function openCatalogue(location: string, options: CatalogueOptions = {}): Promise<Catalogue> {
  const { create = false, tenantSalt = '', timeoutMs = DEFAULT_TIMEOUT_MS, s3 = {} } = options;
  const place = catalogueAddress(location);
  const files = await openFiles(place, { timeoutMs, s3 });
  try {
    await expectCatalogue(place, files, create);
  } catch (error) {
    await files.close();
    throw error;
  }
  return new Catalogue(files, tenantSalt);
}

/**
 * A catalogue of generations. Stores are packed into it, what is packed is published, and aliases name what is served: `openStore('packed:PLACE')` reads it.
 * @throws DkvError from every method: INPUT_INVALID for a generation or alias that is not there, STORE_UNREACHABLE, STORE_DENIED, STORE_READONLY,
 * STORE_DAMAGED, DISK_FULL; STORE_BUSY from those that take turns, after a minute of waiting: publish, activate, rollBack, compact, collect
 */
export class Catalogue {
  readonly location: string;
  readonly #files: CatalogueFiles;
  readonly #takedowns: Takedowns;
  readonly #salt: string;

  /** @param files are the catalogue's from now on */
  constructor(files: CatalogueFiles, tenantSalt = '') {
    this.location = files.location;
    this.#files = files;
    this.#takedowns = new Takedowns(files);
    this.#salt = tenantSalt;
  }

  /** Finds a published generation by its id, the beginning of it, or an alias that names it. */
  async find(text: string): Promise<Generation> {
    const alias = await readAlias(this.#files, text).catch(notAName);
    if (!alias) return findGeneration(this.#files, text);
    const found = await readGeneration(this.#files, alias.generation);
    if (found) return found;
    throw new DkvError(
      'STORE_DAMAGED',
      `${this.location}: alias ${text} names generation ${alias.generation}, which is not there. Activate another one.`,
    );
  }

  /** The generation that an alias names; undefined where there is no such alias. */
  async named(alias = DEFAULT_ALIAS): Promise<Generation | undefined> {
    return (await readAlias(this.#files, alias)) && this.find(alias);
  }

  /**
   * Packs a store into a draft: all of its documents, or those that differ from another generation's. Documents that are taken down are left out.
   * @param store must have been opened for the same tenant
   * @throws DkvError STORE_MISMATCH for several models or another one than the parent's; CANCELLED
   */
  async pack(store: Store, { parent: asked, ...options }: PackIntoOptions = {}): Promise<PackedInto> {
    const parent = asked === null ? undefined : asked === undefined ? await this.named() : await this.find(asked);
    const packed = await packStore(store, this.#files, { ...options, parent, tenantSalt: this.#salt });
    const { manifest, id } = packed.generation;
    const isSame = parent && JSON.stringify(parent.manifest.notes) === JSON.stringify(manifest.notes);
    if (!isSame || packed.packed + packed.removed > 0) return { ...packed, isUnchanged: false };
    await this.#files.remove(manifestName(id, 'drafts'));
    return { ...packed, generation: parent, writtenBytes: 0, isUnchanged: true };
  }

  /**
   * Publishes a draft, after a look at whether all its shards are there.
   * @param draft its id, or the beginning of it; the latest one by default
   */
  async publish(draft?: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Generation> {
    return publish(this.#files, draft ?? (await this.#latest('drafts')), signal);
  }

  /**
   * Lets an alias name a generation. Readers that open the catalogue from now on read it; those that are open go on with theirs.
   * @param generation its id, the beginning of it, or another alias; the latest that was published by default
   */
  async activate(generation?: string, { alias = DEFAULT_ALIAS, reason }: ActivationOptions = {}): Promise<Activated> {
    const { id } = await this.find(generation ?? (await this.#latest('generations')));
    return this.#switched(alias, () => activate(this.#files, this.#takedowns, alias, id, reason));
  }

  /** Lets an alias name what it named before; once more goes one further back. */
  async rollBack({ alias = DEFAULT_ALIAS, reason }: ActivationOptions = {}): Promise<Activated> {
    return this.#switched(alias, () => rollBack(this.#files, this.#takedowns, alias, reason));
  }

  /** Lists generations and drafts, with what holds them. */
  generations(): Promise<CatalogueListing> {
    return listingOf(this.#files, this.#takedowns);
  }

  /**
   * The documents of which two generations say different things, in no order that means anything.
   * @param a the earlier one: its id, the beginning of it, or an alias; so is `b`
   */
  async *diff(a: string, b: string): AsyncGenerator<Difference> {
    const [before, after] = [await this.find(a), await this.find(b)];
    yield* differences(this.#files, before, after);
  }

  /**
   * Makes one layer of a generation's layers, without what is taken down, and publishes it as another generation.
   * @param generation its id, the beginning of it, or an alias; what `live` names by default
   * @throws DkvError CANCELLED
   */
  async compact(generation = DEFAULT_ALIAS, options: CompactOptions = {}): Promise<Compacted> {
    return compact(this.#files, this.#takedowns, await this.find(generation), options);
  }

  /** Takes away generations that no alias names and no reader holds, drafts of the same age, and shards of neither. */
  async collect({ dryRun = false, ...options }: CollectGenerationsOptions = {}): Promise<CollectedGenerations> {
    if (!dryRun) return collect(this.#files, this.#takedowns, options);
    const files = new RehearsedFiles(this.#files);
    return collect(files, new Takedowns(files), options);
  }

  /**
   * Takes documents down. Once this returns no reader that asks serves them, whatever generation it reads, and no later one: also those that no
   * generation has yet.
   * @returns what is so of each id, in their order, each once
   */
  async takeDown(ids: readonly string[], reason: string | null = null): Promise<TakenDown[]> {
    await this.#expectTenant();
    const asked = new Map([...new Set(ids)].map((id) => [id, slotOf(id, this.#salt)]));
    const before = new Map(await this.#takedowns.all());
    const at = Date.now();
    const fresh = [...asked].filter(([, slot]) => !isHidden(before.get(slot)));
    await this.#takedowns.add(fresh.map(([id, slot]) => ({ slot, id, status: 'hidden', at, reason })));
    await this.#noted(
      'takedown',
      fresh.map(([id]) => id),
      reason,
    );
    const holders = await this.#holders([...asked.values()]);
    return [...asked].map(([id, slot]) => {
      const known = before.get(slot);
      const generations = holders?.get(slot);
      if (!known || known.status === 'lifted') return { id, status: 'hidden', at, isNew: true, generations };
      return { id, status: known.status, at: known.at, isNew: false, generations };
    });
  }

  /** Lets documents that were taken down be served again. */
  async lift(ids: readonly string[], reason: string | null = null): Promise<Lifted[]> {
    const asked = new Map([...new Set(ids)].map((id) => [id, slotOf(id, this.#salt)]));
    return inTurn(this.#files, 'lift', () => this.#liftNow(asked, reason));
  }

  async #liftNow(asked: ReadonlyMap<string, string>, reason: string | null): Promise<Lifted[]> {
    const before = new Map(await this.#takedowns.all());
    const at = Date.now();
    const hidden = [...asked].filter(([, slot]) => isHidden(before.get(slot)));
    await this.#takedowns.add(hidden.map(([id, slot]) => ({ slot, id, status: 'lifted', at, reason })));
    await this.#noted(
      'lift',
      hidden.map(([id]) => id),
      reason,
    );
    return [...asked].map(([id, slot]) => {
      const status = before.get(slot)?.status;
      return { id, before: status === 'lifted' ? undefined : status };
    });
  }

  /** What is taken down now, the earliest first. */
  async takedowns(): Promise<Takedown[]> {
    return [...(await this.#takedowns.all()).values()].filter(isHidden).sort((one, other) => one.at - other.at);
  }

  /** What was done to the catalogue, when, where and why, the earliest first. */
  audit(): AsyncGenerator<AuditLine> {
    return readAudit(this.#files);
  }

  /**
   * Reads everything and compares it with its names and checksums.
   * @param options with `generation`, only its shards are read
   * @throws DkvError CANCELLED
   */
  async verify({ generation, ...options }: VerifyCatalogueOptions = {}): Promise<CatalogueVerification> {
    const only = generation === undefined ? undefined : await this.find(generation);
    return verifyCatalogue(this.#files, only, options);
  }

  /**
   * Fetches files that are damaged or missing from another copy of the catalogue, where they are what they should be. A manifest that came back may name
   * shards that `verify` finds next.
   * @param damaged what `verify` found
   * @returns what became of each of these files
   */
  async repair(damaged: readonly DamagedFile[], from: Catalogue): Promise<RepairedFile[]> {
    return repairFrom(this.#files, from.#files, damaged);
  }

  /**
   * Finds the documents of a generation whose records are damaged, and their texts where other records of theirs keep them.
   * @param damaged what `verify` found
   * @param generation its id, the beginning of it, or an alias; what `live` names by default
   * @returns at the end, how many documents cannot even be named
   */
  async *lost(
    damaged: readonly DamagedFile[],
    generation = DEFAULT_ALIAS,
    signal?: AbortSignal,
  ): AsyncGenerator<LostDocument, number> {
    return yield* lostDocuments(this.#files, await this.find(generation), damaged, this.#takedowns, signal);
  }

  async close(): Promise<void> {
    await this.#files.close();
  }

  async #latest(folder: 'drafts' | 'generations'): Promise<string> {
    const latest = await latestIn(this.#files, folder);
    if (latest !== undefined) return latest;
    const missing = folder === 'drafts' ? 'no draft to publish: pack a store into it' : 'no generation: publish one';
    throw new DkvError('INPUT_INVALID', `${this.location} has ${missing}.`);
  }

  async #switched(
    alias: string,
    work: () => Promise<{ readonly generation: string; readonly since: number }>,
  ): Promise<Activated> {
    const before = (await readAlias(this.#files, alias))?.generation;
    const { generation, since } = await work();
    return { alias, generation, before, since };
  }

  async #noted(action: 'takedown' | 'lift', ids: readonly string[], reason: string | null): Promise<void> {
    await inParallel(ids, PARALLEL, (id) => writeAudit(this.#files, action, id, reason));
  }

  /** A takedown hides a document of one tenant, which the salt decides. @throws DkvError STORE_MISMATCH */
  async #expectTenant(): Promise<void> {
    const latest = await latestIn(this.#files, 'generations').catch(() => undefined);
    const tenant = latest && (await readGeneration(this.#files, latest).catch(() => undefined))?.manifest.tenant;
    if (!tenant || tenant === tenantOf(this.#salt)) return;
    throw new DkvError(
      'STORE_MISMATCH',
      `${this.location} has documents of another tenant than it was opened for: give the salt that they were packed with, so that the right ones are taken down.`,
    );
  }

  /** How many generations have each of these documents; undefined where one cannot be read. */
  async #holders(slots: readonly string[]): Promise<ReadonlyMap<string, number> | undefined> {
    const found = new Map(slots.map((slot) => [slot, 0]));
    try {
      for (const { id } of await listGenerations(this.#files)) {
        const generation = await readGeneration(this.#files, id);
        if (!generation) continue;
        const reader = new GenerationReader(this.#files, generation);
        await inParallel(slots, PARALLEL, async (slot) => {
          if (await reader.find(slot)) found.set(slot, found.get(slot)! + 1);
        });
      }
      return found;
    } catch (error) {
      // They are taken down all the same.
      if (error instanceof DkvError) return undefined;
      throw error;
    }
  }
}

/** What is no name of an alias may be the beginning of an id. */
function notAName(error: unknown): undefined {
  if (error instanceof DkvError && error.code === 'INPUT_INVALID') return undefined;
  throw error;
}
