/** The cells that the steps of a verdict are made of, scored for many plants at once: rows that several plants and cells have are scored once. */
import type { Engine, States } from '../../src/engine/engine.js';
import type { Step } from '../../src/stats/mechanism.js';
import {
  type Amounts,
  amountsOf,
  bosRow,
  type DocumentRows,
  documentRows,
  lineRow,
  type Plant,
  type Seen,
} from './plant.js';

export const PREFIXES = ['oracle', 'doc_kw', 'random_matched'] as const;
export type Prefix = (typeof PREFIXES)[number];

/** A cell as `bos` has it: the encodes that its rows are of, and which. */
interface Cell {
  readonly document: Prefix | 'E0' | 'E1';
  readonly bos?: Prefix | 'E0' | 'E1';
  readonly line?: true;
}

export type Terms = Readonly<Record<string, number>>;

/** By the names that `bos` gives to its conditions. */
function cellOf(name: string): Cell {
  const [prefix, cell = ''] = name.includes(' ') ? (name.split(' ') as [Prefix, string]) : [undefined, name];
  if (cell === '{B0,D2}') return { document: prefix!, bos: 'E0' };
  const [encode, rows = ''] = cell.split(':');
  const own = prefix ?? (encode as 'E0' | 'E1');
  return { document: own, ...(rows.includes('B') && { bos: own }), ...(rows.includes('N') && { line: true }) };
}

/** The steps of a prefix, in cells: those of the experiment `bos`. */
export function stepsOf(prefix: Prefix): Partial<Record<Step, Terms>> {
  const e2 = (rows: string) => `${prefix} E2:${rows}`;
  const beside = `${prefix} {B0,D2}`;
  return {
    H: { 'E0:BD': 1, 'E0:D': -1 },
    W: { 'E0:D': 1, 'E1:D': -1 },
    P0: { 'E1:D': 1, [e2('D')]: -1 },
    V: { [e2('D')]: 1, [e2('ND')]: -1 },
    'P*': { 'E0:BD': 1, [beside]: -1 },
    I: { 'E1:D': 1, [e2('D')]: -1, 'E1:BD': -1, [e2('BD')]: 1 },
    L: { [beside]: 1, [e2('BD')]: -1 },
    ...(prefix !== 'random_matched' && { S: { 'random_matched E2:D': 1, [e2('D')]: -1 } }),
  };
}

/** The gain of a prefix under the published mask, which the steps H, W, P0 and V add up to. */
export function totalOf(prefix: Prefix): Terms {
  return { 'E0:BD': 1, [`${prefix} E2:ND`]: -1 };
}

const CELLS = [...new Set(PREFIXES.flatMap((prefix) => Object.values(stepsOf(prefix)).flatMap(Object.keys)))];

/** A sample with what plants take from it. */
export interface Prepared {
  readonly rows: DocumentRows;
  readonly target: Int32Array;
  /** Of each prefix: is it the query, and what chance its encode has. */
  readonly prefixes: Readonly<Record<Prefix, Pick<Seen, 'isQuery' | 'chance'>>>;
}

const OPEN: Seen['sees'] = () => true;

/** In an encode that hides nothing. */
function amounts(plant: Plant, encode: Cell['document'], { prefixes }: Prepared): Amounts {
  if (encode === 'E0' || encode === 'E1') {
    const sees: Seen['sees'] = (_, column) => column !== 'prefix' && (encode === 'E1' || column !== 'separator');
    return amountsOf(plant, { sees, isQuery: false, chance: () => 0 });
  }
  return amountsOf(plant, { sees: OPEN, ...prefixes[encode] });
}

interface Shown {
  readonly key: string;
  readonly parts: readonly Float32Array[];
}

/** What the decoder sees in a cell: with the same key it is the same. */
function shown(plant: Plant, name: string, sample: Prepared): Shown {
  const cell = cellOf(name);
  const document = amounts(plant, cell.document, sample).document;
  const bos = cell.bos && amounts(plant, cell.bos, sample).bos;
  const line = cell.line && amounts(plant, cell.document, sample).line;
  return {
    key: JSON.stringify([document, bos && [bos.scale, bos.carried], line && [line.scale, line.carried]]),
    parts: [
      ...(bos ? [bosRow(sample.rows, bos)] : []),
      ...(line ? [lineRow(sample.rows, line)] : []),
      documentRows(sample.rows, document),
    ],
  };
}

/** Mean NLL per target token of every cell, by plant, for each sample. */
export type CellTable = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** NLLs of one sample by what the decoder sees. */
export type Known = Map<string, number>;

/**
 * @param cells those that are wanted; all when left out
 * @param known a map for each sample of what is scored already, to which what is scored is added
 */
export async function scoreCells(
  engine: Pick<Engine, 'score'>,
  samples: readonly Prepared[],
  plants: Readonly<Record<string, Plant>>,
  cells: readonly string[] = CELLS,
  known: readonly Known[] = samples.map(() => new Map()),
): Promise<CellTable[]> {
  const distinct = samples.map((sample, s) => {
    const found = new Map<string, Shown>();
    const keys = Object.fromEntries(
      Object.entries(plants).map(([name, plant]) => [
        name,
        Object.fromEntries(
          cells.map((cell) => {
            const one = shown(plant, cell, sample);
            if (!found.has(one.key)) found.set(one.key, one);
            return [cell, one.key];
          }),
        ),
      ]),
    );
    return { keys, found: [...found.values()].filter(({ key }) => !known[s]!.has(key)) };
  });
  const items = distinct.flatMap(({ found }, s) =>
    found.map(({ parts }) => ({
      memory: parts.map((data) => {
        const { width } = samples[s]!.rows;
        const states: States = { rows: data.length / width, width, data };
        return { states, start: 0, end: states.rows };
      }),
      prompt: new Int32Array(0),
      target: samples[s]!.target,
    })),
  );
  const nlls = (await engine.score(items)).map((own) => own.reduce((sum, nll) => sum + nll, 0) / own.length).values();
  return distinct.map(({ keys, found }, s) => {
    const by = known[s]!;
    for (const { key } of found) by.set(key, nlls.next().value!);
    return Object.fromEntries(
      Object.entries(keys).map(([plant, own]) => [
        plant,
        Object.fromEntries(Object.entries(own).map(([cell, key]) => [cell, by.get(key)!])),
      ]),
    );
  });
}

export function gainOf(table: Readonly<Record<string, number>>, terms: Terms): number {
  return Object.entries(terms).reduce((sum, [cell, weight]) => sum + weight * table[cell]!, 0);
}
