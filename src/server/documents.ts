/**
 * Documents of tenants: put, read, deleted. What is done to one document is done one after the other, so that looking at its version and writing it are one
 * step within this server; another server on the same store may come in between.
 */
import { DkvError } from '../base/errors.js';
import { endpointWriter, textSources } from '../llm/text-sources.js';
import { isOlder, parseDocumentMetadata, versionIn } from '../serving/document-metadata.js';
import { prime } from '../serving/prime.js';
import type { DocumentToPrime } from '../serving/prime-options.js';
import { expectProvenance, expectWritable, readProvenance } from '../serving/provenance.js';
import { specificationsIn, variantsOf, variantsWithoutWriter } from '../serving/variants.js';
import { openCatalogue } from '../store/generations/catalogue-store.js';
import { missingDocument, type Store } from '../store/store.js';
import { catalogueOf, type Edition } from './edition.js';
import { KeyedLocks } from './keyed-locks.js';
import { type Primed, PrimingQueue } from './priming-queue.js';
import type { ServerSettings } from './settings.js';

/** Whose documents, and where. */
export interface Shelved {
  readonly edition: Edition;
  readonly tenantSalt: string;
}

export interface DeleteOptions {
  /** A document that is there in a later version stays. */
  readonly sourceVersion?: number | undefined;
  readonly reason?: string | undefined;
}

/** The number of documents that are asked what the store's documents are primed with. */
const ASKED = 50;

/** The surrogates of a store's documents, but for those that a model writes. */
async function surrogatesIn(store: Store): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const id of store.ids()) if (ids.push(id) === ASKED) break;
  const entries = await store.entries(ids);
  const names = entries.flatMap((entry) => (entry && !(entry instanceof DkvError) ? Object.keys(entry.variants) : []));
  return variantsWithoutWriter([...new Set(names)]).flatMap(({ name, surrogate }) => (surrogate ? [name] : []));
}

export class Documents {
  readonly #priming: ServerSettings['priming'];
  readonly #maxTokens: number;
  /** What the settings name; undefined for what the store's documents have. */
  readonly #surrogates: readonly string[] | undefined;
  readonly #locks = new KeyedLocks();
  readonly #queues = new WeakMap<Store, PrimingQueue>();

  /** @throws DkvError INPUT_INVALID for surrogates that nothing can be primed with */
  constructor({ priming, limits }: Pick<ServerSettings, 'priming' | 'limits'>) {
    this.#priming = priming;
    this.#maxTokens = limits.maxTokens;
    this.#surrogates = priming.surrogates && specificationsIn(priming.surrogates);
    variantsOf(this.#surrogates ?? [], this.#surrogates ? priming.bare : true);
  }

  /**
   * Looks at whether documents can be primed at all, before any work.
   * @throws DkvError STORE_READONLY; STORE_MISMATCH for a store of another model
   */
  async expectPrimable({ edition, tenantSalt }: Shelved): Promise<void> {
    const store = await edition.storeOf(tenantSalt);
    expectWritable(store);
    if (await readProvenance(store)) await expectProvenance(store, edition.model);
  }

  /**
   * Primes a document, together with others that come at the same time.
   * @param signal aborted before its turn has come, it leaves the document out
   * @throws DkvError VERSION_OUTDATED, INPUT_INVALID, and what priming throws
   */
  async put(where: Shelved, document: DocumentToPrime, signal?: AbortSignal): Promise<Primed> {
    const store = await where.edition.storeOf(where.tenantSalt);
    return this.#locks.hold(nameOf(where, document.id), () =>
      this.#queueOf(where.edition, store).prime(document, signal),
    );
  }

  /** Reads what is known of a document. @throws DkvError DOCUMENT_MISSING */
  async get({ edition, tenantSalt }: Shelved, id: string) {
    const store = await edition.storeOf(tenantSalt);
    const entry = await store.entry(id);
    if (!entry) throw missingDocument(store.location, id);
    let text: string | null = null;
    const variants = await Promise.all(
      Object.entries(entry.variants).map(async ([name, key]) => {
        try {
          const record = await store.get(key);
          if (record) {
            text ??= record.text ?? null;
            return [name, { key, rows: record.states.rows, precision: record.precision }] as const;
          }
          const { code, message } = missingDocument(store.location, id, name);
          return [name, { key, rows: null, precision: null, error: { code, message } }] as const;
        } catch (error) {
          if (!(error instanceof DkvError) || error.code !== 'STORE_DAMAGED') throw error;
          const { code, message } = error;
          return [name, { key, rows: null, precision: null, error: { code, message } }] as const;
        }
      }),
    );
    return {
      id,
      variants: Object.fromEntries(variants),
      fields: parseDocumentMetadata(id, entry.metadata).fields,
      sourceVersion: versionIn(entry) ?? null,
      validUntil: entry.expiresAt === undefined ? null : new Date(entry.expiresAt).toISOString(),
      text,
      primed: (await readProvenance(store)) ?? null,
    };
  }

  /**
   * Deletes a document from every tier, or takes it down where a catalogue is served. It is done when this returns.
   * @throws DkvError VERSION_OUTDATED; STORE_UNREACHABLE that says what was done and what was not
   */
  async delete(
    where: Shelved,
    id: string,
    { sourceVersion, reason }: DeleteOptions = {},
  ): Promise<'deleted' | 'absent' | 'taken_down'> {
    const { edition, tenantSalt } = where;
    const store = await edition.storeOf(tenantSalt);
    return this.#locks.hold(nameOf(where, id), async () => {
      if (sourceVersion !== undefined) {
        const there = versionIn(await store.entry(id));
        if (isOlder(sourceVersion, there)) {
          throw new DkvError(
            'VERSION_OUTDATED',
            `Document ${JSON.stringify(id)}: version ${sourceVersion} is to be deleted, and version ${there} is there. It stays; send the latest version.`,
          );
        }
      }
      const catalogue = catalogueOf(edition.location);
      if (!catalogue) return (await store.deleteDocument(id)) ? 'deleted' : 'absent';
      const opened = await openCatalogue(catalogue.place, { tenantSalt });
      try {
        await opened.takeDown([id], reason ?? null);
      } catch (error) {
        // A catalogue of another tenant has nothing of this one, which is not to learn of the other.
        if (error instanceof DkvError && error.code === 'STORE_MISMATCH') return 'absent';
        throw error;
      } finally {
        await opened.close();
      }
      return 'taken_down';
    });
  }

  #queueOf({ model }: Edition, store: Store): PrimingQueue {
    const known = this.#queues.get(store);
    if (known) return known;
    const { bare, keepText } = this.#priming;
    let surrogates = this.#surrogates;
    const queue = new PrimingQueue(async (documents, onSettled) => {
      surrogates ??= await surrogatesIn(store);
      // The store's documents stay comparable: what it was primed with comes before the server's settings.
      const found = await readProvenance(store);
      const { statesPrecision, visibility, maxTokens } = found ?? { ...this.#priming, maxTokens: this.#maxTokens };
      await prime(model, store, documents, {
        surrogates,
        bare: bare || surrogates.length === 0,
        keepText,
        statesPrecision,
        visibility,
        maxTokens,
        sources: textSources(model, maxTokens, endpointWriter()),
        onSettled,
      });
    });
    this.#queues.set(store, queue);
    return queue;
  }
}

function nameOf({ tenantSalt }: Shelved, id: string): string {
  return JSON.stringify([tenantSalt, id]);
}
