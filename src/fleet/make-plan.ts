/** Plans: reads a corpus once, sorts its rows by the digests of their ids, and writes a file of rows for each part of the generation to come. */
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import type { OpenOptions } from '../datasets/options.js';
import type { Precision } from '../model/graph/layout.js';
import type { Model } from '../scoring/load-model.js';
import { provenanceOf, type StatesOptions } from '../serving/provenance.js';
import { BARE, variantsOf } from '../serving/variants.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import type { Generation } from '../store/generations/manifest.js';
import { digestIn, partOf } from '../store/generations/shard.js';
import { tenantOf } from '../store/records/entry.js';
import { BUCKETS, Buckets } from './buckets.js';
import { type Changes, changesSince } from './changes.js';
import { type CorpusFile, corpusRows } from './corpus.js';
import { FleetFiles } from './files.js';
import { primedLike, priorsLike } from './parent.js';
import { bitsForRows, type Chunk, DEFAULT_CHUNK_ROWS, encodePlan, type NamedPlan, type Plan } from './plan.js';
import { RELEASE } from './release.js';
import { placeOf, type Row } from './row.js';

/** What workers load the built-in model by. */
const BUILT_IN_NAME = 'built-in';

export interface PlanOptions {
  /** Files and addresses of the corpus, as `dkv prime` takes them. */
  readonly inputs: readonly string[];
  readonly open?: OpenOptions | undefined;
  /** What to load, as `loadModel` takes it, for workers. */
  readonly reference: string;
  readonly precision: Precision;
  readonly how: StatesOptions;
  readonly surrogates?: readonly string[] | undefined;
  readonly bare?: boolean | undefined;
  readonly keepText?: boolean | undefined;
  readonly priorQueries?: readonly string[] | undefined;
  readonly expiresAt?: number | undefined;
  /** The rows of a chunk that are aimed at; 1,000 by default. */
  readonly chunkRows?: number | undefined;
  /** The generation that only differences are planned from. */
  readonly parent?: Generation | undefined;
  readonly tenantSalt?: string | undefined;
  readonly onRows?: ((rows: number) => void) | undefined;
}

/**
 * @param model is asked for its identity; it does not compute
 * @throws DkvError INPUT_INVALID, STORE_MISMATCH where the parent was primed otherwise, CANCELLED, and what the corpus and the catalogue throw
 */
export async function makePlan(files: CatalogueFiles, model: Model, options: PlanOptions): Promise<NamedPlan> {
  const {
    parent,
    how,
    surrogates = [],
    bare = true,
    keepText = true,
    priorQueries,
    expiresAt,
    tenantSalt = '',
  } = options;
  const tenant = tenantOf(tenantSalt);
  const variants = variantsOf(surrogates, bare).map(({ name }) => name);
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    throw new DkvError(
      'INPUT_INVALID',
      `Documents would expire at ${new Date(expiresAt).toISOString()}, which is past.`,
    );
  }
  const primed = parent ? primedLike(parent, model, how, tenantSalt) : provenanceOf(model, how);
  const priors = parent ? priorsLike(parent, priorQueries, tenantSalt) : priorQueries;
  const read = new Buckets();
  let changes: Changes | undefined;
  try {
    const corpus = await readCorpus(read, options);
    changes = parent && (await changesSince(read, { files, parent, expiresAt: expiresAt ?? null, variants }));
    const rows = changes?.rows ?? read;
    const removed = changes?.removed ?? [];
    const bits = bitsForRows(rows.lines + removed.length, options.chunkRows ?? DEFAULT_CHUNK_ROWS);
    const chunks: Chunk[] = [];
    for await (const { chunk } of chunksOf(rows, removed, bits)) chunks.push(chunk);
    const plan: Plan = {
      format: 'directed-kvcache fleet plan',
      version: 1,
      release: RELEASE,
      corpus,
      // The folder of the built-in model is another one wherever this package is installed elsewhere.
      model: {
        reference: model.builtIn ? BUILT_IN_NAME : options.reference,
        precision: options.precision,
        weights: model.weights ?? null,
      },
      primed,
      surrogates: variants.filter((name) => name !== BARE),
      bare,
      keepText,
      priorQueries: priors ? [...priors] : null,
      expiresAt: expiresAt ?? null,
      tenant,
      parent: parent?.id ?? null,
      unchanged: {
        documents: changes?.unchanged.documents ?? 0,
        variants: [...(changes?.unchanged.variants ?? [])],
      },
      bits,
      chunks,
    };
    const { id } = encodePlan(plan);
    const fleet = new FleetFiles(files);
    // What is there already may be what a worker found missing or damaged.
    if (await fleet.end(id)) return { id, plan };
    let number = 0;
    for await (const { text } of chunksOf(rows, removed, bits)) {
      expectGoing(options);
      await fleet.putRows(id, number++, text);
    }
    await fleet.putPlan(plan);
    return { id, plan };
  } finally {
    await read.close();
    await changes?.rows.close();
  }
}

async function readCorpus(buckets: Buckets, options: PlanOptions): Promise<CorpusFile[]> {
  const rows = corpusRows(options.inputs, options.open ?? {});
  for (;;) {
    const { done, value } = await rows.next();
    if (done) {
      if (buckets.lines > 0) return value;
      throw new DkvError('INPUT_INVALID', `${options.inputs.join(', ')}: there are no documents in it.`);
    }
    await buckets.add(placeOf(value)[0]!, JSON.stringify(value));
    if (buckets.lines % 1000 === 0) options.onRows?.(buckets.lines);
  }
}

/** The chunks in the order of their parts, with the text of the file that holds their rows. */
async function* chunksOf(
  rows: Buckets,
  removed: readonly string[],
  bits: number,
): AsyncGenerator<{ readonly chunk: Chunk; readonly text: Buffer }> {
  const parts = new Map<number, { readonly lines: string[]; readonly removed: string[] }>();
  const at = (part: number) => {
    const found = parts.get(part) ?? { lines: [], removed: [] };
    parts.set(part, found);
    return found;
  };
  for (const slot of removed) at(partOf(digestIn(slot), bits)).removed.push(slot);
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for (const line of await rows.read(bucket)) at(partOf(placeOf(JSON.parse(line) as Row), bits)).lines.push(line);
    // Parts of which later buckets have nothing.
    const next = bucket + 1 < BUCKETS ? partOf(Buffer.from([bucket + 1, 0, 0, 0]), bits) : Number.POSITIVE_INFINITY;
    const whole = [...parts.keys()].filter((part) => part < next).sort((one, other) => one - other);
    for (const part of whole) {
      const { lines, removed: gone } = parts.get(part)!;
      parts.delete(part);
      const all = [...gone.map((slot) => JSON.stringify({ removed: slot })), ...lines];
      const text = Buffer.from(all.map((line) => `${line}\n`).join(''), 'utf8');
      const digest = sha256(text).toString('hex');
      yield { chunk: { part, rows: lines.length, removed: gone.length, digest }, text };
    }
  }
}

function expectGoing({ open }: PlanOptions): void {
  if (open?.signal?.aborted) throw new DkvError('CANCELLED', 'Stopped; no plan was made.');
}
