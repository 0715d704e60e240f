/** From the chunks of a plan to a published generation: every chunk has a report whose shard is there as it says, or nothing is published. */
import { DkvError } from '../base/errors.js';
import { inParallel, STORE_REQUESTS } from '../base/parallel.js';
import { shellWord } from '../base/shell-word.js';
import { manifestName, readGeneration } from '../store/generations/catalogue.js';
import type { CatalogueFiles } from '../store/generations/files.js';
import { encodeManifest, type Generation } from '../store/generations/manifest.js';
import { manifestOfParts, type Part } from '../store/generations/part.js';
import { publish } from '../store/generations/publish.js';
import { shardName } from '../store/generations/shard-reader.js';
import { FleetFiles } from './files.js';
import type { NamedPlan } from './plan.js';
import type { Report } from './report.js';
import { expectPlanFits, hasShard } from './work.js';

/** The chunks that a message names. */
const MOST_NAMED = 10;

export interface FinishOptions {
  readonly tenantSalt?: string | undefined;
  /** Read every shard and compare it with its name; true by default. Otherwise its size alone is compared. */
  readonly check?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, of: number) => void) | undefined;
}

export interface Finished {
  readonly generation: Generation;
  /** False where it was published before, by this coordinator or another one. */
  readonly isNew: boolean;
  /** The reports, by the numbers of their chunks. */
  readonly reports: readonly Report[];
}

/**
 * Publishes the generation of a plan. Of coordinators that finish together each gives the same generation.
 * @returns undefined for a plan in which nothing differs from the parent
 * @throws DkvError FLEET_INCOMPLETE naming the chunks that are missing or damaged; FLEET_MISMATCH; INPUT_INVALID where no document could be primed; STORE_BUSY;
 * CANCELLED
 */
export async function finishPlan(
  files: CatalogueFiles,
  named: NamedPlan,
  options: FinishOptions = {},
): Promise<Finished | undefined> {
  const { id, plan } = named;
  expectPlanFits(named, options.tenantSalt);
  if (plan.chunks.length === 0) return undefined;
  const fleet = new FleetFiles(files);
  const parent = plan.parent === null ? undefined : await readGeneration(files, plan.parent);
  if (plan.parent !== null && !parent) {
    throw new DkvError('FLEET_MISMATCH', `Plan ${id} changes generation ${plan.parent}, which is gone. Plan again.`);
  }
  const end = await fleet.end(id);
  const before = end && (await readGeneration(files, end.generation));
  if (before) {
    const read = await Promise.all(
      [...plan.chunks.keys()].map((number) => fleet.report(id, number).catch(() => undefined)),
    );
    return { generation: before, isNew: false, reports: read.filter((report) => report !== undefined) };
  }
  const reports = await soundReports(files, named, options);
  const parts = new Map<number, Part>(reports.map(({ part }, number) => [plan.chunks[number]!.part, part]));
  const variants = new Map(plan.unchanged.variants);
  let { documents } = plan.unchanged;
  for (const { kept } of reports) {
    documents += kept.documents;
    for (const [name, count] of kept.variants) variants.set(name, (variants.get(name) ?? 0) + count);
  }
  const madeAt = await fleet.madeAt(id);
  const unchanged = { documents, variants };
  const manifest = manifestOfParts(parts, { bits: plan.bits, tenant: plan.tenant, madeAt, parent, unchanged });
  const { id: generation, bytes } = encodeManifest(manifest);
  const published = await readGeneration(files, generation);
  if (!published) {
    await files.put(manifestName(generation, 'drafts'), bytes);
    await publish(files, generation, options.signal).catch(async (error: unknown) => {
      // Another coordinator may have published it, and taken the draft away.
      if (!(await readGeneration(files, generation))) throw error;
    });
  }
  const rejected = reports.reduce((sum, report) => sum + report.rejected.length, 0);
  await fleet.putEnd(id, { generation, documents: manifest.documents, rejected });
  await fleet.removeRows(named);
  return { generation: { id: generation, manifest }, isNew: !published, reports };
}

/** @throws DkvError FLEET_INCOMPLETE, CANCELLED */
async function soundReports(
  files: CatalogueFiles,
  { id, plan }: NamedPlan,
  { check = true, signal, onProgress }: FinishOptions,
): Promise<Report[]> {
  const fleet = new FleetFiles(files);
  const sizes = new Map<string, number>();
  for await (const { name, sizeBytes } of files.list('shards/')) sizes.set(`shards/${name}`, sizeBytes);
  const reports: Report[] = [];
  const missing: number[] = [];
  const damaged: number[] = [];
  let done = 0;
  await inParallel(plan.chunks.keys(), STORE_REQUESTS, async (number) => {
    if (signal?.aborted) throw new DkvError('CANCELLED', 'Stopped; nothing was published.');
    const report = await fleet.report(id, number).catch((error: unknown) => {
      if (!(error instanceof DkvError) || error.code !== 'STORE_DAMAGED') throw error;
      damaged.push(number);
      return null;
    });
    if (report === undefined) missing.push(number);
    if (report) {
      const { shard } = report.part;
      const isThere = !shard || sizes.get(shardName(shard.digest)) === shard.sizeBytes;
      if (isThere && (!check || (await hasShard(files, report)))) reports[number] = report;
      else damaged.push(number);
    }
    onProgress?.(++done, plan.chunks.length);
  });
  if (missing.length + damaged.length === 0) return reports;
  const failures = await Promise.all(
    missing.slice(0, MOST_NAMED).map(async (number) => fleet.failure(id, number).catch(() => undefined)),
  );
  const told = failures.flatMap((failure) =>
    failure
      ? [`Chunk ${failure.chunk} failed ${failure.attempts} times, at last with ${failure.code}: ${failure.message}`]
      : [],
  );
  const what = [
    ...(missing.length > 0
      ? [`${missing.length} of ${plan.chunks.length} chunks are not primed (${listed(missing)})`]
      : []),
    ...(damaged.length > 0 ? [`what was made of ${damaged.length} is missing or damaged (${listed(damaged)})`] : []),
  ];
  throw new DkvError(
    'FLEET_INCOMPLETE',
    [
      `Plan ${id}: ${what.join('; ')}. Nothing is published. Work on them: dkv fleet work ${shellWord(files.location)} --plan ${id} --chunk ${Math.min(...missing, ...damaged)}`,
      ...told,
    ].join('\n'),
  );
}

function listed(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((one, other) => one - other);
  const rest = sorted.length > MOST_NAMED ? ', ...' : '';
  return `${sorted.slice(0, MOST_NAMED).join(', ')}${rest}`;
}
