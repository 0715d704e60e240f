/** Amazon's shopping queries with products judged exact, substitute, complement or irrelevant (ESCI), as the research ranks them. */
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { NumpyRandomState } from '../base/numpy-random.js';
import { wordCount } from '../base/words.js';
import { type PoolRequest, type PoolSet, poolSetOf, type Source } from '../samples/dataset.js';
import type { Candidate, Grade, Pool } from '../samples/sample.js';
import { isJudgeable } from './draw.js';
import type { OpenOptions } from './options.js';
import { checkedRow, openHubSplit, type Table } from './table.js';

const REPOSITORY = 'tasksource/esci';
const LOCALE = 'us';
const PRODUCT_WORDS = 5;
const PRODUCTS = 4;
/** The lowest grade that counts as relevant: exact and substitute do. */
const RELEVANT = 2;
const GRADES: Readonly<Record<string, Grade>> = { e: 3, s: 2, c: 1, i: 0 };

const optionalText = z.string().nullish();

const rowSchema = z.object({
  query_id: z.union([z.number(), z.bigint(), z.string()]).transform(String),
  query: z.string(),
  product_id: z.string(),
  product_locale: z.string(),
  esci_label: z.string(),
  product_title: optionalText,
  product_text: optionalText,
  product_bullet_point: optionalText,
  product_description: optionalText,
});

type EsciRow = z.infer<typeof rowSchema>;

export function esciSource(options: OpenOptions): Source {
  return {
    about: 'shopping queries with products of four grades; no questions with answers',
    pools: (request) => esciPools(request, options),
  };
}

/** A query of which only the rows are known: texts of millions of products would not fit into memory. */
interface Judged {
  readonly id: string;
  readonly query: string;
  readonly candidates: { readonly row: number; readonly product: string; readonly grade: Grade }[];
}

async function esciPools({ count, seed }: PoolRequest, options: OpenOptions): Promise<PoolSet> {
  const table = await openHubSplit({ repository: REPOSITORY, splits: ['train'] }, options);
  const queries = await judgedQueries(table);
  const usable = queries.filter(
    ({ candidates }) => candidates.length >= PRODUCTS && isJudgeable({ candidates, relevant: RELEVANT }),
  );
  const chosen = new NumpyRandomState(seed).shuffle(usable).slice(0, count);
  const wanted = new Set(chosen.flatMap(({ candidates }) => candidates.map(({ row }) => row)));
  const products = new Map<number, Omit<Candidate, 'grade'>>();
  const lacking = new Set<number>();
  for await (const [number, row] of esciRows(table, ownText(table), wanted)) {
    if (lacksText(table, row)) lacking.add(number);
    products.set(number, productOf(row));
  }
  for await (const [number, row] of esciRows(table, PARTS, lacking)) products.set(number, productOf(row));
  const pools = chosen.map(({ id, query, candidates }): Pool => {
    const found = candidates.map(({ row, grade }) => ({ ...products.get(row)!, grade }));
    return { id, query, relevant: RELEVANT, candidates: found };
  });
  const origin = {
    name: 'esci',
    revision: table.revision,
    licence: 'Apache-2.0',
    selection: `training queries of the locale ${LOCALE} with ${PRODUCTS} products or more of at least ${PRODUCT_WORDS} words, one or more of them exact or substitute and one or more complement or irrelevant; shuffled, ${count} taken`,
  };
  return poolSetOf(origin, pools);
}

/** Queries in the order of their first rows. A product counts once for a query. */
async function judgedQueries(table: Table): Promise<Judged[]> {
  const queries = new Map<string, Judged>();
  const lacking = new Set<number>();
  for await (const [number, row] of esciRows(table, ownText(table))) {
    if (row.product_locale !== LOCALE) continue;
    if (lacksText(table, row)) lacking.add(number);
    else if (isTooShort(row)) continue;
    const known = queries.get(row.query_id) ?? { id: row.query_id, query: row.query, candidates: [] };
    queries.set(row.query_id, known);
    known.candidates.push({ row: number, product: row.product_id, grade: gradeOf(table, number, row.esci_label) });
  }
  const tooShort = new Set<number>();
  for await (const [number, row] of esciRows(table, PARTS, lacking)) if (isTooShort(row)) tooShort.add(number);
  return [...queries.values()]
    .map(({ candidates, ...query }) => ({ ...query, candidates: onceEach(candidates, tooShort) }))
    .filter(({ candidates }) => candidates.length > 0)
    .sort((a, b) => a.candidates[0]!.row - b.candidates[0]!.row);
}

/** Keeps the first row of each product whose text is long enough. */
function onceEach(candidates: Judged['candidates'], tooShort: ReadonlySet<number>): Judged['candidates'] {
  const seen = new Set<string>();
  return candidates.filter(({ row, product }) => {
    const isNew = !tooShort.has(row) && !seen.has(product);
    if (isNew) seen.add(product);
    return isNew;
  });
}

/** What a text is put together from, beside the title, where a product has none. */
const PARTS = ['product_bullet_point', 'product_description'];

/** The parts are the largest columns by far: where there are texts, they are read of the products alone that have none. */
function ownText({ columns }: Table): readonly string[] {
  return columns.includes('product_text') ? ['product_text'] : PARTS;
}

function lacksText({ columns }: Table, { product_text }: EsciRow): boolean {
  return columns.includes('product_text') && !product_text?.trim();
}

function isTooShort(row: EsciRow): boolean {
  return wordCount(documentOf(row)) < PRODUCT_WORDS;
}

async function* esciRows(
  table: Table,
  texts: readonly string[],
  wanted?: ReadonlySet<number>,
): AsyncGenerator<[number, EsciRow]> {
  const there = texts.filter((column) => table.columns.includes(column));
  const columns = ['query_id', 'query', 'product_id', 'product_locale', 'esci_label', 'product_title', ...there];
  for await (const [number, row] of table.rows(columns, wanted))
    yield [number, checkedRow(rowSchema, table, number, row)];
}

function productOf(row: EsciRow): Omit<Candidate, 'grade'> {
  const title = row.product_title?.trim();
  return { id: row.product_id, document: documentOf(row), ...(title && { title }) };
}

function documentOf({ product_text, product_title, product_bullet_point, product_description }: EsciRow): string {
  if (product_text?.trim()) return product_text;
  return [product_title, product_bullet_point, product_description].filter((part) => part?.trim()).join('\n');
}

/** Reads a grade from a word or its first letter: `Exact`, `E`. */
function gradeOf({ name }: Table, number: number, label: string): Grade {
  const grade = /^([esci]|exact|substitute|complement|irrelevant)$/i.test(label)
    ? GRADES[label[0]!.toLowerCase()]
    : undefined;
  if (grade !== undefined) return grade;
  throw new DkvError(
    'INPUT_INVALID',
    `${name}, row ${number + 1}: the label "${label}"; Exact, Substitute, Complement, Irrelevant or their first letters were expected.`,
  );
}
