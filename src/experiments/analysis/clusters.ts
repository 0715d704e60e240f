/** Which samples of a run are not independent of each other, and how much alike they are. */
import { askedKind } from '../../adworld/adworld.js';
import { soughtKind } from '../../adworld/pools.js';
import { ADWORLD_VERSION } from '../../adworld/version.js';
import { surrogate } from '../../priming/surrogate.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import { type Experiment, specificationsOf } from '../../runs/schema/experiment.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { DependenceRecord } from '../../runs/schema/summary.js';
import {
  connected,
  type Dependence,
  independent,
  intraclassCorrelation,
  type Partition,
  partitionBy,
  together,
} from '../../stats/dependence.js';
import { finite } from '../../stats/gains.js';

/** The unit that is resampled: a sample, or a pool, which has one query. */
export interface Unit {
  readonly id: string;
  readonly cluster?: string | undefined;
  /** The unit's query, equal for units of one query; undefined where it is not known. */
  readonly query?: string | undefined;
  /** AdWorld's kind of question; undefined for other data, and where the run does not record it. */
  readonly kind?: string | undefined;
}

export interface UnitDependence {
  readonly dependence: Dependence;
  readonly by: DependenceRecord['by'];
  /** The clusters of units that share a query, a kind of question or a cluster of the data set. */
  readonly own: Partition;
  /** The clusters of units that borrow words from each other; undefined where no surrogate borrows. */
  readonly partners: { readonly form: 'pairs' | 'ring'; readonly clusters: Partition } | undefined;
}

export function unitOf({ id, cluster, query_as, texts, kind }: SampleRecord): Unit {
  return { id, cluster, query: texts?.query ?? query_as, kind };
}

/**
 * @param kept the units that were scored
 * @param all those that were to be scored, in the order in which they borrow from each other
 */
export function dependenceOf(
  kept: readonly Unit[],
  all: readonly Unit[],
  { experiment, dataset, seed }: Pick<Configuration, 'experiment' | 'dataset' | 'seed'>,
): UnitDependence {
  const kinds = kindsOf(kept, dataset, seed);
  const { own, by } = kinds ? { own: partitionBy(kinds), by: 'question kind' as const } : ownPartition(kept);
  if (!borrows(experiment)) return { dependence: { clusters: own }, by, own, partners: undefined };
  const partners = partnersOf(kept, all);
  return { dependence: together(own, partners.clusters, kept.length), by, own, partners };
}

/** The kinds of AdWorld's questions, by sample. Samples of one kind share wordings and the shape of their answers. */
function kindsOf(units: readonly Unit[], dataset: Configuration['dataset'], seed: number): string[] | undefined {
  // Runs of older versions do not say them.
  const kinds = units.map(({ id, kind }) => kind ?? kindOf(id, dataset, seed));
  return kinds.every((kind) => kind !== undefined) ? kinds : undefined;
}

/** The kind of question of a sample or pool of AdWorld, by its id; undefined for others. */
export function kindOf(
  id: string,
  { name, revision }: Pick<Configuration['dataset'], 'name' | 'revision'>,
  seed: number,
): string | undefined {
  if (name !== 'adworld' || revision !== ADWORLD_VERSION) return undefined;
  return askedKind(id, seed) ?? soughtKind(id, seed);
}

/** The partition by the data set's clusters and by query: units of one cluster, and units of one query, are together. */
function ownPartition(units: readonly Unit[]): { own: Partition; by: DependenceRecord['by'] } {
  // A sample that is the first of its query, and whose texts are not kept, is what others name.
  const queries = partitionBy(units.map(({ id, query }) => query ?? id));
  const isClustered = units.some(({ cluster }) => cluster !== undefined);
  if (isClustered) {
    const clusters = partitionBy(units.map(({ id, cluster }) => JSON.stringify(cluster ?? [id])));
    return { own: connected(clusters, queries, units.length), by: 'cluster' };
  }
  return queries.length < units.length
    ? { own: queries, by: 'query' }
    : { own: independent(units.length).clusters, by: 'sample' };
}

function borrows(experiment: Pick<Experiment, 'conditions'>): boolean {
  return specificationsOf(experiment).some(isBorrowed);
}

function isBorrowed(specification: string): boolean {
  return surrogate(specification).sources.includes('other');
}

/** Tells whether the words of a condition's prefix come from another sample. */
export function borrowsWords({ conditions }: Experiment, name: string): boolean {
  return borrows({ conditions: conditions.filter((condition) => condition.name === name) });
}

/**
 * A sample borrows from the one half the list further on. Of an even number the two borrow from each other: pairs. An odd number hangs together as one
 * ring, which is cut into pairs of neighbours with one group of three; the other half of its links is left out.
 */
function partnersOf(kept: readonly Unit[], all: readonly Unit[]): NonNullable<UnitDependence['partners']> {
  const half = Math.max(1, Math.floor(all.length / 2));
  const place = new Map(all.map(({ id }, index) => [id, index]));
  const clusters = partitionBy(kept.map(({ id }) => place.get(id)! % half));
  return { form: all.length % 2 === 0 || all.length < 2 ? 'pairs' : 'ring', clusters };
}

/**
 * What a summary records of the dependence.
 * @param primary gains of the primary comparison, by unit
 * @param borrowed gains of the comparisons whose words are borrowed
 */
export function recordedDependence(
  { dependence: { clusters, crossed }, by, own, partners }: UnitDependence,
  primary: readonly number[] | undefined,
  borrowed: readonly (readonly number[])[],
): DependenceRecord {
  const correlations = borrowed
    .map((gains) => intraclassCorrelation(gains, partners?.clusters ?? []))
    .filter((icc) => !Number.isNaN(icc));
  return {
    by,
    partners: partners?.form ?? 'none',
    crossed: crossed?.length ?? null,
    largest: Math.max(0, ...clusters.map(({ length }) => length)),
    icc: primary ? finite(intraclassCorrelation(primary, own)) : null,
    partner_icc: correlations.length > 0 ? Math.max(...correlations) : null,
  };
}
