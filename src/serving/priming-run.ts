/** What priming does with one window of documents after the other. Counts, and knows nothing of what comes before or after. */
import { isDeepStrictEqual } from 'node:util';
import { Breather } from '../base/breather.js';
import { DkvError } from '../base/errors.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import { eachOf } from '../engine/engine.js';
import { LiteralTokens } from '../model/tokenizer/literal-tokens.js';
import { prepareSurrogates, type TextSources } from '../priming/prepare.js';
import type { Prepared } from '../priming/surrogate-kinds.js';
import type { Model } from '../scoring/load-model.js';
import { unlessDamaged } from '../store/records/damage.js';
import { visibleStates } from '../store/records/identity.js';
import { asStored, expectStorable } from '../store/records/quantise.js';
import { payloadBytesOf } from '../store/records/record.js';
import type { CacheRecord, DocumentEntry, Store } from '../store/store.js';
import { type DocumentMetadata, isOlder, rowDigestOf, versionIn } from './document-metadata.js';
import { documentSchema, fieldsOf, hasFields, idOf, isOfShard, outdated } from './documents-to-prime.js';
import type { DocumentToPrime, PrimeOptions, PrimeProgress, PrimeSummary, RejectedDocument } from './prime-options.js';
import type { StatesOptions } from './provenance.js';
import { meanReferenceNlls, type ReferenceTargets } from './reference-queries.js';
import { type PlannedVariant, planVariants, type Variant, variantsWithoutWriter } from './variants.js';

/** The rows of states held at once, in batches of the engine. */
const BATCHES_PER_BLOCK = 4;

/** The ids whose outcomes are remembered, about 100 MB of them, so that what is held does not grow with the stream. */
const MOST_OUTCOMES = 1_000_000;

export interface Accepted {
  readonly row: number;
  readonly document: DocumentToPrime;
}

export interface PrimingRunOptions extends PrimeOptions {
  readonly how: StatesOptions;
  readonly variants: readonly Variant[];
  readonly sources: TextSources;
  readonly references: ReferenceTargets | undefined;
}

/** A variant, and its key in the store. */
interface Keyed extends PlannedVariant {
  readonly key: string;
}

interface Named extends Accepted {
  /** The document as it is to be primed now. */
  readonly variants: readonly Keyed[];
}

interface Planned extends Named {
  readonly entry: DocumentEntry | undefined;
  /** The entry's other variants that stay, by name, with their keys; and the names of those that do not. */
  readonly kept: Readonly<Record<string, string>>;
  readonly dropped: readonly string[];
  /** Text, title and fields are those of the entry. */
  readonly isSame: boolean;
  /** The document's version: its own, or that of the entry where the content is the same. */
  readonly sourceVersion: number | undefined;
}

type Block = { readonly documents: readonly Planned[]; readonly missing: ReadonlyMap<string, Keyed> };

export class PrimingRun {
  readonly #model: Model;
  readonly #store: Store;
  readonly #options: PrimingRunOptions;
  readonly #startedAt = performance.now();
  readonly #counts = {
    rows: 0,
    documents: 0,
    primed: 0,
    unchanged: 0,
    rejected: 0,
    replaced: 0,
    cut: 0,
    tokens: 0,
    encoded: 0,
  };
  /** What became of documents, by id. */
  readonly #outcomes = new Map<string, 'primed' | 'unchanged'>();
  readonly #literals: LiteralTokens;
  readonly #dropped = new Map<string, number>();
  #storedBytes = 0;
  #storedDocuments = 0;

  constructor(model: Model, store: Store, options: PrimingRunOptions) {
    this.#model = model;
    this.#store = store;
    this.#options = options;
    this.#literals = new LiteralTokens(model.tokenizer);
  }

  /** The documents of this shard that have a document's form. */
  async *accepted(documents: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<Accepted> {
    for await (const document of documents) {
      const row = ++this.#counts.rows;
      const id = idOf(document);
      if (!isOfShard(id ?? String(row), this.#options.shard)) continue;
      this.#counts.documents++;
      if (document instanceof DkvError) {
        this.#reject({ row }, document);
        continue;
      }
      const parsed = documentSchema.safeParse(document);
      if (parsed.success) yield { row, document: parsed.data as DocumentToPrime };
      else {
        const [issue] = parsed.error.issues;
        const place = issue!.path.length > 1 ? `${issue!.path.join('.')}: ` : '';
        this.#reject(
          { row, ...(id !== undefined && { id }) },
          new DkvError('INPUT_INVALID', `${place}${issue!.message}`),
        );
      }
    }
  }

  async primeWindow(window: readonly Accepted[]): Promise<void> {
    const { variants, sources, signal } = this.#options;
    const surrogates = variants.flatMap(({ name, surrogate }) => (surrogate ? [name] : []));
    const samples = window.map(({ document }) => ({ document: document.text }));
    const prepared = await prepareSurrogates(surrogates, samples, sources, signal ? { signal } : {});
    const named: Named[] = [];
    const turns = new Breather(signal);
    for (const accepted of window) {
      try {
        named.push({ ...accepted, variants: this.#plan(accepted.document, variants, prepared) });
      } catch (error) {
        if (!(error instanceof DkvError)) throw error;
        this.#reject({ row: accepted.row, id: accepted.document.id }, error);
      }
      await turns.rest();
      if (signal?.aborted) return;
    }
    const planned = this.#notOutdated(await this.#besideWhatIsThere(this.#lastOfEach(named)));
    const isCut = ({ variants }: Planned) => variants.some(({ presented }) => presented.input.cutTokens > 0);
    this.#counts.cut += planned.filter(isCut).length;
    for (const { document, variants } of planned) {
      this.#literals.see(document.text, ...variants.map(({ prefix }) => prefix));
    }
    const changed = new Set<Planned>(planned);
    const missing = new Map<string, Keyed>();
    await inParallel(planned, STORE_REQUESTS, async (document) => {
      if (!(await this.#isUnchanged(document))) {
        for (const variant of document.variants) {
          if (!(await this.#store.isSound(variant.key))) missing.set(variant.key, variant);
        }
        return;
      }
      changed.delete(document);
      this.#count(document, 'unchanged');
    });
    for (const block of blocksOf([...changed], missing, BATCHES_PER_BLOCK * this.#model.engine.info.batchTokens)) {
      if (signal?.aborted) return;
      await this.#primeBlock(block);
      this.#options.onProgress?.(this.#progress());
    }
    if (changed.size === 0) this.#options.onProgress?.(this.#progress());
  }

  summary(): PrimeSummary {
    const progress = this.#progress();
    const { primed, unchanged, tokens, seconds } = progress;
    return {
      ...progress,
      variants: this.#options.variants.map(({ name }) => name),
      dropped: Object.fromEntries(this.#dropped),
      literalTokens: this.#literals.tokens,
      documentsPerSecond: (primed + unchanged) / seconds,
      tokensPerSecond: tokens / seconds,
    };
  }

  #progress(): PrimeProgress {
    const stored = this.#storedDocuments;
    return {
      ...this.#counts,
      literal: this.#literals.count,
      seconds: (performance.now() - this.#startedAt) / 1000,
      bytesPerDocument: stored > 0 ? this.#storedBytes / stored : null,
    };
  }

  #reject(document: Omit<RejectedDocument, 'reason'>, error: DkvError): void {
    this.#counts.rejected++;
    this.#options.onRejected?.({ ...document, reason: error.message });
    this.#options.onSettled?.({ row: document.row, outcome: error });
  }

  /** Of documents with the same id the last one that is not older than one before it: the others would be replaced at once. */
  #lastOfEach(named: readonly Named[]): readonly Named[] {
    const last = new Map<string, Named>();
    for (const one of named) {
      const { id, sourceVersion } = one.document;
      const before = last.get(id);
      if (before && isOlder(sourceVersion, before.document.sourceVersion)) {
        this.#reject({ row: one.row, id }, outdated(id, sourceVersion!, before.document.sourceVersion!));
        continue;
      }
      if (before) {
        this.#counts.replaced++;
        this.#options.onSettled?.({ row: before.row, outcome: 'replaced' });
      }
      last.set(id, one);
    }
    return [...last.values()];
  }

  /** The documents that may take the place of what the store has. The others are rejected. */
  #notOutdated(planned: readonly Planned[]): readonly Planned[] {
    return planned.filter(({ row, document, entry, isSame }) => {
      const { id, sourceVersion } = document;
      const there = versionIn(entry);
      if (sourceVersion === undefined || there === undefined || sourceVersion > there) return true;
      const expiresAt = document.expiresAt ?? this.#options.expiresAt;
      const expiresSo = this.#options.ttlMs !== undefined || entry?.expiresAt === expiresAt;
      if (sourceVersion === there && isSame && expiresSo) return true;
      this.#reject({ row, id }, outdated(id, sourceVersion, there));
      return false;
    });
  }

  /** Counts what became of a document, which takes the place of an earlier one with its id. */
  #count({ row, document: { id } }: Planned, outcome: 'primed' | 'unchanged'): void {
    const earlier = this.#outcomes.get(id);
    if (earlier) {
      this.#counts[earlier]--;
      this.#counts.replaced++;
    }
    this.#counts[outcome]++;
    if (earlier || this.#outcomes.size < MOST_OUTCOMES) this.#outcomes.set(id, outcome);
    this.#options.onSettled?.({ row, outcome });
  }

  #plan(document: DocumentToPrime, variants: readonly Variant[], prepared: Prepared): Keyed[] {
    const planned = planVariants(document, variants, prepared, this.#model, this.#options.how);
    return planned.map((variant) => ({ ...variant, key: this.#store.keyOf(variant.identity) }));
  }

  /**
   * What is primed now stands beside what the store has of the same documents: a variant that is not named stays where priming it now would give the same record. One that
   * a model wrote is not written again to see: it stays where another variant shows that the document is the same.
   */
  async #besideWhatIsThere(named: readonly Named[]): Promise<Planned[]> {
    const { replace, signal } = this.#options;
    const entries = new Map<Named, DocumentEntry>();
    await inParallel(named, STORE_REQUESTS, async (document) => {
      const entry = await unlessDamaged(this.#store.entry(document.document.id));
      if (entry) entries.set(document, entry);
    });
    const others = named.map((one): string[] => {
      const names = replace ? [] : Object.keys(entries.get(one)?.variants ?? {});
      return names.filter((name) => one.variants.every((variant) => variant.name !== name));
    });
    const again = variantsWithoutWriter([...new Set(others.flat())]);
    const specifications = again.flatMap(({ name, surrogate }) => (surrogate ? [name] : []));
    const samples = named.map(({ document }) => ({ document: document.text }));
    const prepared = await prepareSurrogates(specifications, samples, {}, signal ? { signal } : {});
    const turns = new Breather(signal);
    const planned: Planned[] = [];
    for (const [at, one] of named.entries()) {
      const entry = entries.get(one);
      const unnamed = others[at]!;
      const made = again
        .filter(({ name }) => unnamed.includes(name))
        .flatMap((variant) => this.#planOne(one, variant, prepared));
      const isThere = ({ name, key }: Keyed) => entry!.variants[name] === key;
      const isSameText = entry !== undefined && [...one.variants, ...made].some(isThere);
      const stays = (name: string) =>
        again.some((variant) => variant.name === name)
          ? made.some((own) => own.name === name && isThere(own))
          : isSameText;
      const kept: Record<string, string> = {};
      for (const name of unnamed) {
        const key = entry!.variants[name]!;
        if (stays(name) && (await this.#isThere(key))) kept[name] = key;
      }
      const dropped = unnamed.filter((name) => !Object.hasOwn(kept, name));
      const digest = entry?.metadata.rowDigest;
      // Of a text that is cut what is left out may differ. Earlier releases kept no digest.
      const isSame =
        digest === undefined ? isSameText && hasFields(entry, one.document) : digest === rowDigestOf(one.document);
      const sourceVersion = one.document.sourceVersion ?? (isSame ? versionIn(entry) : undefined);
      planned.push({ ...one, entry, kept, dropped, isSame, sourceVersion });
      await turns.rest();
    }
    return planned;
  }

  /** Nothing where the document cannot be primed so any more, as without a column that it had. */
  #planOne({ document }: Named, variant: Variant, prepared: Prepared): Keyed[] {
    try {
      return this.#plan(document, [variant], prepared);
    } catch (error) {
      if (error instanceof DkvError) return [];
      throw error;
    }
  }

  async #isUnchanged({ document, variants, entry, kept, isSame, sourceVersion }: Planned): Promise<boolean> {
    const { references } = this.#options;
    if (!entry || !isSame) return false;
    const wanted = { ...kept, ...Object.fromEntries(variants.map(({ name, key }) => [name, key])) };
    const isThere =
      isDeepStrictEqual(entry.variants, wanted) &&
      versionIn(entry) === sourceVersion &&
      entry.metadata.priorDigest === references?.digest;
    if (!isThere || !this.#isLasting(document, entry)) return false;
    for (const { key } of variants) if (!(await this.#isThere(key))) return false;
    return true;
  }

  /** Tells whether what is there expires when the document does. */
  #isLasting(document: DocumentToPrime, entry: DocumentEntry): boolean {
    const { ttlMs } = this.#options;
    const expiresAt = document.expiresAt ?? this.#options.expiresAt;
    if (expiresAt !== undefined || ttlMs === undefined) return entry.expiresAt === expiresAt;
    // With half of its time gone it is primed again, so that what is primed regularly never expires in between.
    const remainingMs = (entry.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now();
    return remainingMs > ttlMs / 2 && remainingMs <= ttlMs;
  }

  #isThere(key: string): Promise<boolean> {
    const { check = true } = this.#options;
    return check ? this.#store.isSound(key) : this.#store.has(key);
  }

  async #primeBlock({ documents, missing }: Block): Promise<void> {
    const { keepText = true, references, ttlMs, how } = this.#options;
    const { statesPrecision } = how;
    const passes = [...missing.values()];
    const states = await eachOf(passes, (some) =>
      this.#model.engine.encode(
        some.map(({ presented }) => presented.item),
        { priority: 'bulk', ...(statesPrecision === 'float16' && { statesAs: statesPrecision }) },
      ),
    );
    this.#counts.encoded += passes.length;
    for (const { presented } of passes) this.#counts.tokens += presented.item.tokenIds.length;
    const broken = new Map<string, DkvError>();
    const visible = new Map<string, CacheRecord['states']>();
    for (const [at, { key, presented }] of passes.entries()) {
      const own = states[at]!;
      try {
        if (own instanceof DkvError) throw own;
        const shown = visibleStates(own, presented.visible);
        expectStorable(shown, statesPrecision);
        visible.set(key, shown);
      } catch (error) {
        if (!(error instanceof DkvError)) throw error;
        broken.set(key, error);
      }
    }
    const sound = this.#withoutBroken(documents, broken);
    const priors = references
      ? await this.#priors(sound, visible, references.targets, broken)
      : new Map<string, number>();
    await inParallel(this.#withoutBroken(sound, broken), STORE_REQUESTS, async (planned) => {
      const { document, variants, entry, kept, dropped, sourceVersion } = planned;
      const keys: Record<string, string> = { ...kept };
      const made: Record<string, CacheRecord | string> = {};
      for (const [name, key] of Object.entries(kept)) if (!broken.has(key)) made[name] = key;
      for (const { name, key, identity, presented, surrogate } of variants) {
        const own = visible.get(key);
        keys[name] = key;
        made[name] = own
          ? {
              ...identity,
              states: own,
              surrogate,
              metadata: { model: this.#model.name, cutTokens: presented.input.cutTokens },
              ...(keepText && { text: document.text }),
            }
          : key;
      }
      // In the order in which they came into the store.
      const names = new Set([...Object.keys(entry?.variants ?? {}), ...Object.keys(made)]);
      const records: Record<string, CacheRecord | string> = {};
      for (const name of names) if (Object.hasOwn(made, name)) records[name] = made[name]!;
      const metadata: DocumentMetadata = {
        fields: fieldsOf(document),
        rowDigest: rowDigestOf(document),
        ...(references && {
          priors: Object.fromEntries(Object.keys(records).map((name) => [name, priors.get(keys[name]!)!])),
          priorDigest: references.digest,
        }),
        ...(sourceVersion !== undefined && { sourceVersion }),
      };
      const expiresAt = document.expiresAt ?? this.#options.expiresAt;
      await this.#store.putDocument(document.id, records, {
        metadata,
        ...(expiresAt !== undefined ? { expiresAt } : ttlMs !== undefined && { ttlMs }),
      });
      this.#count(planned, 'primed');
      this.#storedDocuments++;
      for (const name of dropped) this.#dropped.set(name, (this.#dropped.get(name) ?? 0) + 1);
      for (const record of Object.values(records)) {
        if (typeof record !== 'string') this.#storedBytes += payloadBytesOf(record);
      }
    });
  }

  /** The documents whose variants are all intact. The others are rejected. */
  #withoutBroken(documents: readonly Planned[], broken: ReadonlyMap<string, DkvError>): readonly Planned[] {
    if (broken.size === 0) return documents;
    return documents.filter(({ row, document, variants }) => {
      const failed = variants.find(({ key }) => broken.has(key));
      if (failed) {
        const { code, message } = broken.get(failed.key)!;
        this.#reject({ row, id: document.id }, new DkvError(code, `${failed.name}: ${message}`));
      }
      return !failed;
    });
  }

  /**
   * The priors by key, of states that were encoded now and of those that the store already has.
   * @param broken keys whose prior is not finite are added to it
   */
  async #priors(
    documents: readonly Planned[],
    visible: ReadonlyMap<string, CacheRecord['states']>,
    targets: readonly Int32Array[],
    broken: Map<string, DkvError>,
  ): Promise<Map<string, number>> {
    const { statesPrecision } = this.#options.how;
    const keys = [
      ...new Set(
        documents.flatMap(({ variants, kept }) => [...variants.map(({ key }) => key), ...Object.values(kept)]),
      ),
    ];
    const stored = new Map<string, CacheRecord['states']>();
    await inParallel(keys, STORE_REQUESTS, async (key) => {
      const own = visible.get(key);
      const states = own ? asStored(own, statesPrecision) : (await this.#store.get(key))?.states;
      if (states) stored.set(key, states);
    });
    const found = await meanReferenceNlls(this.#model.engine, [...stored.values()], targets);
    const priors = new Map<string, number>();
    for (const [at, key] of [...stored.keys()].entries()) {
      const own = found[at]!;
      if (own instanceof DkvError) broken.set(key, own);
      else priors.set(key, own);
    }
    return priors;
  }
}

/** Groups neighbouring documents, so that the inputs to encode have this many rows together. Each group is encoded in one block. */
function* blocksOf(
  documents: readonly Planned[],
  missing: ReadonlyMap<string, Keyed>,
  maxRows: number,
): Generator<Block> {
  const left = new Map(missing);
  let block = { documents: [] as Planned[], missing: new Map<string, Keyed>() };
  let rows = 0;
  for (const document of documents) {
    block.documents.push(document);
    for (const variant of document.variants) {
      if (!left.delete(variant.key)) continue;
      block.missing.set(variant.key, variant);
      rows += variant.presented.item.tokenIds.length;
    }
    if (rows < maxRows) continue;
    yield block;
    block = { documents: [], missing: new Map() };
    rows = 0;
  }
  if (block.documents.length > 0) yield block;
}
