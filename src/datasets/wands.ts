/** Wayfair's furniture queries with products judged exact, partial or irrelevant (WANDS): from the hub, or from the folder it was published as. */
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { Random } from '../base/random.js';
import { type PoolRequest, type PoolSet, poolSetOf, type Source } from '../samples/dataset.js';
import type { Candidate, Grade, Pool } from '../samples/sample.js';
import { isJudgeable, limitCandidates } from './draw.js';
import type { OpenOptions } from './options.js';
import { checkedRow, expectColumns, openHubSplit, openTable, type Table } from './table.js';

const REPOSITORY = 'napsternxg/wands';
const SPLITS = ['train', 'dev', 'test'];
const GRADES: Readonly<Record<string, Grade>> = { Exact: 2, Partial: 1, Irrelevant: 0 };

const identifier = z.union([z.number(), z.bigint(), z.string()]).transform(String);
const labelSchema = z.object({ query_id: identifier, product_id: identifier, label: z.string() });
const querySchema = z.object({ query_id: identifier, query: z.string() });
const productSchema = z.object({
  product_id: identifier,
  product_name: z.string(),
  product_description: z.string().nullish(),
  product_features: z.string().nullish(),
});
const PRODUCT_COLUMNS = Object.keys(productSchema.shape);

/** @param folder with product.csv, query.csv and label.csv; the hub's copy when left out */
export function wandsSource(options: OpenOptions, folder?: string): Source {
  return {
    about: 'furniture queries with judged products; no questions with answers',
    pools: (request) => (folder ? poolsOfFolder(folder, request, options) : poolsOfHub(request, options)),
  };
}

/** A product that was judged, by the key under which its text is found later. */
interface Judged<Key> {
  readonly key: Key;
  readonly grade: Grade;
}

/** The judgements of each query, in the order of the data. */
type Judgements<Key> = Map<string, Map<string, Judged<Key>>>;

async function poolsOfHub(request: PoolRequest, options: OpenOptions): Promise<PoolSet> {
  // The splits were drawn from the judgements, not from the queries: one alone has a part of each query's products.
  const table = await openHubSplit({ repository: REPOSITORY, splits: SPLITS }, options);
  const queries = new Map<string, string>();
  const judgements: Judgements<number> = new Map();
  for await (const [number, row] of table.rows(['query_id', 'query', 'product_id', 'label'])) {
    const { query_id, query } = checkedRow(querySchema, table, number, row);
    queries.set(query_id, query);
    judge(judgements, table, number, row, () => number);
  }
  const chosen = choose(judgements, request);
  const products = new Map<number, Omit<Candidate, 'grade'>>();
  const wanted = new Set(chosen.flatMap(([, judged]) => judged.map(({ key }) => key)));
  for await (const [number, row] of table.rows(PRODUCT_COLUMNS, wanted)) {
    products.set(number, productOf(checkedRow(productSchema, table, number, row)));
  }
  return poolSetOf(origin(table.revision, request.count), poolsOf(chosen, queries, products));
}

async function poolsOfFolder(folder: string, request: PoolRequest, options: OpenOptions): Promise<PoolSet> {
  const open = (file: string) => openTable(path.join(folder, file), options);
  const [labels, queryTable, productTable] = [
    await open('label.csv'),
    await open('query.csv'),
    await open('product.csv'),
  ];
  expectColumns(labels, Object.keys(labelSchema.shape));
  expectColumns(queryTable, Object.keys(querySchema.shape));
  expectColumns(productTable, PRODUCT_COLUMNS);
  const queries = new Map<string, string>();
  for await (const [number, row] of queryTable.rows([])) {
    const { query_id, query } = checkedRow(querySchema, queryTable, number, row);
    queries.set(query_id, query);
  }
  const judgements: Judgements<string> = new Map();
  for await (const [number, row] of labels.rows([])) judge(judgements, labels, number, row, (productId) => productId);
  const chosen = choose(judgements, request);
  const wanted = new Set(chosen.flatMap(([, judged]) => judged.map(({ key }) => key)));
  const products = new Map<string, Omit<Candidate, 'grade'>>();
  for await (const [number, row] of productTable.rows([])) {
    const product = checkedRow(productSchema, productTable, number, row);
    if (wanted.has(product.product_id)) products.set(product.product_id, productOf(product));
  }
  const revision = [labels, queryTable, productTable].map(({ revision }) => revision.slice(0, 15)).join('+');
  return poolSetOf(origin(revision, request.count), poolsOf(chosen, queries, products));
}

function judge<Key>(
  judgements: Judgements<Key>,
  table: Table,
  number: number,
  row: Readonly<Record<string, unknown>>,
  keyOf: (productId: string) => Key,
): void {
  const { query_id, product_id, label } = checkedRow(labelSchema, table, number, row);
  const grade = GRADES[label];
  if (grade === undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${table.name}, row ${number + 1}: the label "${label}"; ${Object.keys(GRADES).join(', ')} were expected.`,
    );
  }
  const judged = judgements.get(query_id) ?? new Map<string, Judged<Key>>();
  judgements.set(query_id, judged);
  if (!judged.has(product_id)) judged.set(product_id, { key: keyOf(product_id), grade });
}

function choose<Key>(judgements: Judgements<Key>, { count, seed }: PoolRequest): [string, Judged<Key>[]][] {
  const random = new Random('wands', seed);
  const usable = [...judgements]
    .map(([id, judged]): [string, Judged<Key>[]] => [id, [...judged.values()]])
    .filter(([, candidates]) => isJudgeable({ candidates }));
  return new NumpyRandomState(seed)
    .shuffle(usable)
    .slice(0, count)
    .map(([id, candidates]) => [id, limitCandidates(candidates, random)]);
}

/** Judgements of a query or product that the other files lack are left out. */
function poolsOf<Key>(
  chosen: readonly [string, readonly Judged<Key>[]][],
  queries: ReadonlyMap<string, string>,
  products: ReadonlyMap<Key, Omit<Candidate, 'grade'>>,
): Pool[] {
  return chosen.flatMap(([id, judged]) => {
    const query = queries.get(id);
    const candidates = judged.flatMap(({ key, grade }) => {
      const product = products.get(key);
      return product ? [{ ...product, grade }] : [];
    });
    return query === undefined ? [] : [{ id, query, relevant: 1 as const, candidates }];
  });
}

function productOf(product: z.infer<typeof productSchema>): Omit<Candidate, 'grade'> {
  const { product_id, product_name, product_description, product_features } = product;
  const document = [product_name, product_description, product_features].filter((part) => part?.trim()).join('\n');
  return { id: product_id, document, title: product_name };
}

function origin(revision: string, count: number) {
  return {
    name: 'wands',
    revision,
    licence: 'MIT',
    selection: `queries with a relevant product (exact or partial) and an irrelevant one, shuffled, ${count} taken; of each at most 40 products at random, every grade among them`,
  };
}
