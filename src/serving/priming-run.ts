/** What priming does with one window of documents after the other. Counts, and knows nothing of what comes before or after. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Breather } from '../base/breather.js';
import { sha256 } from '../base/bytes.js';
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
import { metadataSchema, payloadBytesOf } from '../store/records/record.js';
import type { CacheRecord, Metadata, Store } from '../store/store.js';
import type { DocumentMetadata } from './document-metadata.js';
import type {
  DocumentToPrime,
  PrimeOptions,
  PrimeProgress,
  PrimeSummary,
  RejectedDocument,
  Shard,
} from './prime-options.js';
import type { StatesOptions } from './provenance.js';
import { meanReferenceNlls, type ReferenceTargets } from './reference-queries.js';
import { type PlannedVariant, planVariants, type Variant } from './variants.js';

/** The rows of states held at once, in batches of the engine. */
const BATCHES_PER_BLOCK = 4;

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

interface Planned extends Accepted {
  readonly variants: readonly Keyed[];
}

type Block = { readonly documents: readonly Planned[]; readonly missing: ReadonlyMap<string, Keyed> };

const documentSchema = z.object({
  id: z
    .string({ error: 'it has no id' })
    .min(1, { error: 'it has no id' })
    .refine((id) => id.isWellFormed(), { error: 'its id has half of a surrogate pair, which UTF-8 cannot hold' }),
  text: z
    .string({ error: 'it has no text' })
    .refine((text) => text.trim() !== '', { error: 'it has no text' })
    .refine((text) => text.isWellFormed(), { error: 'its text has half of a surrogate pair, which UTF-8 cannot hold' }),
  title: z.string().optional(),
  fields: metadataSchema.optional(),
});

export class PrimingRun {
  readonly #model: Model;
  readonly #store: Store;
  readonly #options: PrimingRunOptions;
  readonly #startedAt = performance.now();
  readonly #counts = { rows: 0, documents: 0, primed: 0, unchanged: 0, rejected: 0, cut: 0, tokens: 0, encoded: 0 };
  readonly #literals: LiteralTokens;
  #storedBytes = 0;

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
        this.#reject({ row, reason: document.message });
        continue;
      }
      const parsed = documentSchema.safeParse(document);
      if (parsed.success) yield { row, document: parsed.data as DocumentToPrime };
      else {
        const [issue] = parsed.error.issues;
        const place = issue!.path.length > 1 ? `${issue!.path.join('.')}: ` : '';
        this.#reject({ row, ...(id !== undefined && { id }), reason: `${place}${issue!.message}` });
      }
    }
  }

  async primeWindow(window: readonly Accepted[]): Promise<void> {
    const { variants, sources, signal } = this.#options;
    const surrogates = variants.flatMap(({ name, surrogate }) => (surrogate ? [name] : []));
    const samples = window.map(({ document }) => ({ document: document.text }));
    const prepared = await prepareSurrogates(surrogates, samples, sources, signal ? { signal } : {});
    const planned: Planned[] = [];
    const turns = new Breather(signal);
    for (const accepted of window) {
      try {
        planned.push({ ...accepted, variants: this.#plan(accepted.document, prepared) });
      } catch (error) {
        if (!(error instanceof DkvError)) throw error;
        this.#reject({ row: accepted.row, id: accepted.document.id, reason: error.message });
      }
      await turns.rest();
      if (signal?.aborted) return;
    }
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
      this.#counts.unchanged++;
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
      literalTokens: this.#literals.tokens,
      documentsPerSecond: (primed + unchanged) / seconds,
      tokensPerSecond: tokens / seconds,
    };
  }

  #progress(): PrimeProgress {
    const { primed } = this.#counts;
    return {
      ...this.#counts,
      literal: this.#literals.count,
      seconds: (performance.now() - this.#startedAt) / 1000,
      bytesPerDocument: primed > 0 ? this.#storedBytes / primed : null,
    };
  }

  #reject(rejection: RejectedDocument): void {
    this.#counts.rejected++;
    this.#options.onRejected?.(rejection);
  }

  #plan(document: DocumentToPrime, prepared: Prepared): Keyed[] {
    const { variants, how } = this.#options;
    const planned = planVariants(document, variants, prepared, this.#model, how);
    return planned.map((variant) => ({ ...variant, key: this.#store.keyOf(variant.identity) }));
  }

  async #isUnchanged({ document, variants }: Planned): Promise<boolean> {
    const { references, ttlMs } = this.#options;
    const entry = await unlessDamaged(this.#store.entry(document.id));
    if (!entry) return false;
    const { fields, priorDigest } = entry.metadata;
    const isSame =
      isDeepStrictEqual(entry.variants, Object.fromEntries(variants.map(({ name, key }) => [name, key]))) &&
      // As text, since storing makes 0 of -0.
      JSON.stringify(fields) === JSON.stringify(fieldsOf(document)) &&
      priorDigest === references?.digest;
    // With half of its time gone it is primed again, so that what is primed regularly never expires in between.
    const remainingMs = (entry.expiresAt ?? Number.POSITIVE_INFINITY) - Date.now();
    const isLasting =
      ttlMs === undefined ? entry.expiresAt === undefined : remainingMs > ttlMs / 2 && remainingMs <= ttlMs;
    if (!isSame || !isLasting) return false;
    for (const { key } of variants) if (!(await this.#isThere(key))) return false;
    return true;
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
    await inParallel(this.#withoutBroken(sound, broken), STORE_REQUESTS, async ({ document, variants }) => {
      const records: Record<string, CacheRecord | string> = {};
      for (const { name, key, identity, presented, surrogate } of variants) {
        const own = visible.get(key);
        records[name] = own
          ? {
              ...identity,
              states: own,
              surrogate,
              metadata: { model: this.#model.name, cutTokens: presented.input.cutTokens },
              ...(keepText && { text: document.text }),
            }
          : key;
      }
      const metadata: DocumentMetadata = {
        fields: fieldsOf(document),
        ...(references && {
          priors: Object.fromEntries(variants.map(({ name, key }) => [name, priors.get(key)!])),
          priorDigest: references.digest,
        }),
      };
      await this.#store.putDocument(document.id, records, {
        metadata,
        ...(ttlMs !== undefined && { ttlMs }),
      });
      this.#counts.primed++;
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
      if (failed) this.#reject({ row, id: document.id, reason: `${failed.name}: ${broken.get(failed.key)!.message}` });
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
    const keys = [...new Set(documents.flatMap(({ variants }) => variants.map(({ key }) => key)))];
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

function fieldsOf({ title, fields = {} }: DocumentToPrime): Metadata {
  return { ...(title !== undefined && { title }), ...fields };
}

function idOf(document: unknown): string | undefined {
  const id = typeof document === 'object' && document !== null && 'id' in document ? document.id : undefined;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Tells whether a document is of a shard, by its id alone, so that all shards agree in whatever order the documents come. */
function isOfShard(id: string, shard: Shard | undefined): boolean {
  if (!shard) return true;
  const hash = sha256(Buffer.from(id, 'utf16le')).readUInt32LE(0);
  return hash % shard.of === shard.number - 1;
}
