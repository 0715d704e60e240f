/** What datasets give, what they are asked for, and the origin that a run's record needs. */
import { createHash } from 'node:crypto';
import type { Pool, Sample } from './sample.js';

/** Rows that were read and cannot be used. */
export interface RowsLeftOut {
  readonly rows: number;
  /** What these rows lack, such as "no query (question)". */
  readonly reason: string;
}

/** Where data come from and which part of them was taken. */
export interface Origin {
  readonly name: string;
  /** The version of a generated set, or the commit of a downloaded one. */
  readonly revision: string;
  readonly licence: string;
  /** A sentence that says which rows were taken. */
  readonly selection: string;
  /** The rows that lack something; absent where no row does. Reading ends with the last row that is wanted, and so does counting. */
  readonly leftOut?: readonly RowsLeftOut[];
}

export interface Dataset extends Origin {
  /** SHA-256 (hex) over samples and padding, in order. */
  readonly digest: string;
  readonly samples: readonly Sample[];
  /** Texts of other documents, in order, with which documents can be made longer. It is empty unless asked for. */
  readonly padding: readonly string[];
}

export interface PoolSet extends Origin {
  /** SHA-256 (hex) over the pools, in order. */
  readonly digest: string;
  readonly pools: readonly Pool[];
}

/**
 * The rule by which samples are chosen. `standard` takes one document for each query; `length` takes any, for documents that will be made longer;
 * `factoid` takes those with answers of at most five words.
 */
export type SampleRule = 'standard' | 'length' | 'factoid';

export interface SampleRequest {
  readonly count: number;
  readonly seed: number;
  /** The rule of choice; `standard` by default. */
  readonly rule?: SampleRule;
  /** The least number of padding texts to give; 0 by default. */
  readonly padding?: number;
  /** Columns of the user's own table to keep, for surrogates that are made of them; none by default. */
  readonly columns?: readonly string[];
}

export interface PoolRequest {
  readonly count: number;
  readonly seed: number;
  /** Take only pools whose query has a gold answer. */
  readonly answers?: boolean;
  /** Columns of the user's own table to keep with each candidate; none by default. */
  readonly columns?: readonly string[];
}

/** A dataset that has been found and not yet read. It lacks the method of what it cannot give. */
export interface Source {
  readonly about: string;
  /** Gives samples; fewer than asked for when there are no more. */
  samples?(request: SampleRequest): Promise<Dataset>;
  pools?(request: PoolRequest): Promise<PoolSet>;
}

export function datasetOf(origin: Origin, samples: readonly Sample[], padding: readonly string[] = []): Dataset {
  return { ...origin, samples, padding, digest: digestOf(padding.length > 0 ? [samples, padding] : [samples]) };
}

/**
 * The first `count` samples that are none of those named, such as a pilot's.
 * @param of whose samples they are, for the selection's sentence
 */
export function without(
  { samples, padding, selection, ...origin }: Dataset,
  ids: readonly string[],
  count: number,
  of: string,
): Dataset {
  const left = new Set(ids);
  const others = samples.filter(({ id }) => !left.has(id)).slice(0, count);
  return datasetOf({ ...origin, selection: `${selection}, without the ${ids.length} of ${of}` }, others, padding);
}

export function poolSetOf(origin: Origin, pools: readonly Pool[]): PoolSet {
  return { ...origin, pools, digest: digestOf([pools]) };
}

/** SHA-256 of the lists as JSON: of the only list, or of a list of both. It is taken item by item, since no string holds all of a large set. */
function digestOf(lists: readonly (readonly unknown[])[]): string {
  const hash = createHash('sha256');
  const asList = <T>(items: readonly T[], add: (item: T) => void) => {
    hash.update('[');
    for (const [at, item] of items.entries()) {
      if (at > 0) hash.update(',');
      add(item);
    }
    hash.update(']');
  };
  const addList = (list: readonly unknown[]) => asList(list, (item) => hash.update(JSON.stringify(item)));
  if (lists.length === 1) addList(lists[0]!);
  else asList(lists, addList);
  return hash.digest('hex');
}
