/**
 * Work on one chunk: its rows are primed into a store in memory, that is packed into one shard, and a report says so. Nothing of a chunk is in the catalogue before
 * the whole shard is, and a chunk that is done is answered from its report: a worker that is killed at any time costs its chunk's work and nothing else.
 */
import os from 'node:os';
import { sha256 } from '../base/bytes.js';
import { DkvError } from '../base/errors.js';
import type { DocumentRow } from '../datasets/documents.js';
import type { TextSources } from '../priming/prepare.js';
import type { Model } from '../scoring/load-model.js';
import { prime } from '../serving/prime.js';
import type { PrimeProgress, RejectedDocument } from '../serving/prime-options.js';
import { expectSameProvenance, knownTo, provenanceOf, writeProvenance } from '../serving/provenance.js';
import { readGeneration } from '../store/generations/catalogue.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import { GenerationReader } from '../store/generations/layers.js';
import { Lease } from '../store/generations/leases.js';
import { packPart } from '../store/generations/part.js';
import { shardName } from '../store/generations/shard-reader.js';
import { openStore } from '../store/open.js';
import { inspectEntry, slotOf, tenantOf } from '../store/records/entry.js';
import { FleetFiles } from './files.js';
import { chunkAt, type NamedPlan } from './plan.js';
import { RELEASE } from './release.js';
import type { Report } from './report.js';
import { parseRow, type Row } from './row.js';

/** Nothing may be evicted from the store that is packed. */
const MOST_BYTES = 2 ** 50;

export interface WorkOptions {
  readonly tenantSalt?: string | undefined;
  /** The writers of surrogates that a model writes. */
  readonly sources?: TextSources | undefined;
  /** Aborting this signal ends the work with CANCELLED, and nothing of the chunk is kept. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: PrimeProgress) => void) | undefined;
}

export interface Worked {
  readonly report: Report;
  /** False where the chunk was done before, here or elsewhere. */
  readonly isNew: boolean;
}

/**
 * Checks that a process may work on a plan, before a model is loaded.
 * @throws DkvError FLEET_MISMATCH for another release or tenant
 */
export function expectPlanFits({ id, plan }: NamedPlan, tenantSalt = ''): void {
  if (plan.release !== RELEASE) {
    throw mismatch(
      id,
      `was made by release ${plan.release} and this is ${RELEASE}`,
      'Use the same release everywhere.',
    );
  }
  if (plan.tenant !== tenantOf(tenantSalt)) {
    throw mismatch(id, 'is of another tenant', 'Give the salt that it was made with.');
  }
}

/** @throws DkvError FLEET_MISMATCH for a model with other numbers than the plan's */
export function expectModelFits({ id, plan }: NamedPlan, model: Model): void {
  const { statesPrecision, visibility, maxTokens } = plan.primed;
  try {
    const known = knownTo(`Plan ${id}`, plan.primed, model);
    expectSameProvenance(`Plan ${id}`, plan.primed, provenanceOf(known, { statesPrecision, visibility, maxTokens }));
  } catch (error) {
    if (!(error instanceof DkvError)) throw error;
    throw mismatch(id, `wants another model than this worker has: ${error.message}`, 'Load the one that it names.');
  }
}

/**
 * The report of a chunk whose shard is there as it says; undefined for a chunk that is to be worked on.
 * @throws DkvError what the catalogue throws
 */
export async function doneBefore(files: CatalogueFiles, plan: string, chunk: number): Promise<Report | undefined> {
  const fleet = new FleetFiles(files);
  const found = await fleet.report(plan, chunk).catch((error: unknown) => {
    if (error instanceof DkvError && error.code === 'STORE_DAMAGED') return 'damaged' as const;
    throw error;
  });
  if (found === undefined) return undefined;
  if (found !== 'damaged' && (await hasShard(files, found))) return found;
  await fleet.dropReport(plan, chunk);
  return undefined;
}

/** Reads the shard of a report and compares it with its name. */
export async function hasShard(files: CatalogueFiles, { part: { shard } }: Report): Promise<boolean> {
  if (!shard) return true;
  const found = await files.read(shardName(shard.digest));
  return found !== undefined && sha256(found.bytes).toString('hex') === shard.digest;
}

/**
 * Works on a chunk, unless it is done.
 * @throws DkvError INPUT_INVALID for no such chunk; FLEET_MISMATCH; CANCELLED; and what priming and the catalogue throw
 */
export async function workChunk(
  files: CatalogueFiles,
  named: NamedPlan,
  number: number,
  model: Model,
  options: WorkOptions = {},
): Promise<Worked> {
  expectPlanFits(named, options.tenantSalt);
  expectModelFits(named, model);
  chunkAt(named, number);
  const before = await doneBefore(files, named.id, number);
  if (before) return { report: before, isNew: false };
  const fleet = new FleetFiles(files);
  // Until the report names the shard a collection leaves it alone.
  const lease = await Lease.take(files, 'packing');
  try {
    const made = await primedChunk(files, named, number, model, options);
    const report = await fleet.putReport(named.id, made);
    await fleet.dropFailure(named.id, number);
    return { report, isNew: report === made };
  } finally {
    await lease?.release();
  }
}

async function primedChunk(
  files: CatalogueFiles,
  named: NamedPlan,
  number: number,
  model: Model,
  { tenantSalt = '', sources, signal, onProgress }: WorkOptions,
): Promise<Report> {
  const { id, plan } = named;
  const startedAt = Date.now();
  const begun = performance.now();
  const { rows, removed } = await contentsOf(files, named, number);
  const rejected: RejectedDocument[] = [];
  const store = await openStore('memory:', { maxBytes: MOST_BYTES, tenantSalt });
  try {
    // A plan may know the model by the fingerprint that an earlier release gave it.
    await writeProvenance(store, plan.primed);
    const { statesPrecision, visibility, maxTokens } = plan.primed;
    const summary = await prime(model, store, rows.map(documentOf), {
      statesPrecision,
      visibility,
      maxTokens,
      surrogates: plan.surrogates,
      bare: plan.bare,
      keepText: plan.keepText,
      ...(plan.expiresAt !== null && { expiresAt: plan.expiresAt }),
      ...(plan.priorQueries && { priorQueries: plan.priorQueries }),
      ...(sources && { sources }),
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
      onRejected: (rejection) => rejected.push({ ...rejection, row: rows[rejection.row - 1]!.row }),
    });
    const { part } = plan.chunks[number]!;
    const packed = await packPart(store, files, { bits: plan.bits, part, removed, tenantSalt, signal });
    const unprimed = rejected.flatMap(({ id: own }) => (own === undefined ? [] : [own]));
    const lost: string[] = [];
    for (const own of new Set(unprimed)) if (!(await store.entry(own))) lost.push(own);
    return {
      chunk: number,
      part: packed.part,
      replaced: summary.replaced,
      rejected: rejected.sort((one, other) => one.row - other.row),
      takenDown: packed.left.length,
      kept: await keptOf(files, named, [...packed.left, ...lost], tenantSalt),
      cut: summary.cut,
      tokens: summary.tokens,
      encoded: summary.encoded,
      worker: {
        host: os.hostname(),
        process: process.pid,
        cpu: os.cpus()[0]?.model ?? os.arch(),
        device: model.engine.info.device,
        release: RELEASE,
      },
      startedAt,
      seconds: (performance.now() - begun) / 1000,
    };
  } catch (error) {
    if (error instanceof DkvError && error.code === 'CANCELLED') {
      throw new DkvError('CANCELLED', `Stopped; nothing of chunk ${number} of plan ${id} is kept. Work on it again.`);
    }
    throw error;
  } finally {
    await store.close();
  }
}

async function contentsOf(
  files: CatalogueFiles,
  named: NamedPlan,
  number: number,
): Promise<{ rows: Row[]; removed: string[] }> {
  const rows: Row[] = [];
  const removed: string[] = [];
  for (const line of await new FleetFiles(files).rows(named, number)) {
    const gone = /^\{"removed":"([0-9a-f]+)"\}$/.exec(line)?.[1];
    if (gone === undefined) rows.push(parseRow(line, `Chunk ${number} of plan ${named.id}`));
    else removed.push(gone);
  }
  return { rows, removed };
}

function documentOf({ id = '', text = '', title, fields, error }: Row): DocumentRow | DkvError {
  if (error !== undefined) return new DkvError('INPUT_INVALID', error);
  return { id, text, ...(title !== undefined && { title }), fields: (fields ?? {}) as DocumentRow['fields'] };
}

/** Which documents that were not packed stay as the parent has them. */
async function keptOf(
  files: CatalogueFiles,
  { id, plan }: NamedPlan,
  ids: readonly string[],
  salt: string,
): Promise<Report['kept']> {
  if (plan.parent === null || ids.length === 0) return { documents: 0, variants: [] };
  const parent = await readGeneration(files, plan.parent);
  if (!parent) throw mismatch(id, `changes generation ${plan.parent}, which is not there any more`, 'Plan again.');
  const reader = new GenerationReader(files, parent);
  const variants = new Map<string, number>();
  let documents = 0;
  for (const own of ids) {
    const slot = slotOf(own, salt);
    const found = await reader.find(slot);
    if (!found) continue;
    documents++;
    for (const [name] of inspectEntry(found.entry, slot).variants) variants.set(name, (variants.get(name) ?? 0) + 1);
  }
  return { documents, variants: [...variants] };
}

function mismatch(id: string, what: string, advice: string): DkvError {
  return new DkvError('FLEET_MISMATCH', `Plan ${id} ${what}. ${advice}`);
}
