/** Verdicts on draws from all planted pools, counted, and what is demanded of the counts. */
import path from 'node:path';
import { Random } from '../../src/base/random.js';
import { marginOf, type VerdictName } from '../../src/stats/mechanism.js';
import { type Found, foundOn, type Pool, poolOf } from './judge.js';
import { addLines, linesOf } from './lines.js';
import { MECHANISMS, MIXTURES } from './mechanisms.js';
import { NUISANCE } from './nuisance.js';
import type { Scores } from './scores.js';

/** Samples of a run. */
export const SIZES = [200, 1000];

/** Draws of a line in the file. */
const BLOCK = 50;

/** What is demanded of so many verdicts: right at the last size where the effect is twice the margin or more, and wrong at most. */
const DEMANDED = { margins: 2, right: 484 / 500, wrong: 1 / 500 };

/** A pool that verdicts are made on. */
interface Case {
  readonly name: string;
  readonly expected: VerdictName;
  readonly margin: number;
  readonly pool: Pool;
  /** The effect in margins that was to be planted; undefined where there is none, or more than one. */
  readonly margins: number | undefined;
  /** Is it demanded that verdicts are right? That they are not wrong always is. */
  readonly demanded: boolean;
  /** May it be said that there is no effect, since it is smaller than the margin in the pool? */
  readonly isSmall: boolean;
}

function casesOf({ plants, totals, tables }: Scores): Case[] {
  const of = (name: string) => tables.map((table) => table[name]!);
  if (Object.keys(plants).some((name) => tables.some((table) => !table[name]))) {
    throw new Error('scores are of other plants than calibration.json: remove both');
  }
  return [
    ...MECHANISMS.map(({ name, expected, wanted }): Case => {
      const [margin, pool] = [marginOf(totals[name]!), poolOf(of(name))];
      // What is wanted of that one is how much covers its priming.
      const effect = expected === 'unmasked' ? undefined : wanted;
      const margins = effect && effect.value / margin;
      const at = pool.judged.find(({ step }) => step === effect?.step)?.at;
      return {
        name,
        expected,
        margin,
        pool,
        margins,
        demanded: margins === undefined || margins >= DEMANDED.margins,
        isSmall: at !== undefined && pool.truths[at]!.mean < margin,
      };
    }),
    {
      name: NUISANCE,
      expected: 'no effect',
      margin: marginOf(totals[NUISANCE]!),
      pool: poolOf(of(NUISANCE)),
      margins: undefined,
      demanded: false,
      isSmall: false,
    },
    ...MIXTURES.map(({ name, share, parts: [a, b] }): Case => {
      const random = new Random('mixture', name);
      const margin = marginOf(share * totals[a]! + (1 - share) * totals[b]!);
      const pool = poolOf(tables.map((table) => table[random.float() < share ? a : b]!));
      const margins = Math.min(share, 1 - share) / margin;
      return { name, expected: 'mixed', margin, pool, margins, demanded: margins >= DEMANDED.margins, isSmall: false };
    }),
  ];
}

interface Line {
  readonly key: string;
  readonly count: number;
  readonly found: Readonly<Record<string, number>>;
}

/** What is counted of draws: their verdicts, and of how many all intervals hold the truth. */
type Counts = Readonly<Record<string, number>>;

const HOLDS = { means: 'intervals of means hold', trimmed: 'intervals of trimmed means hold' };

function countsOf({ verdict, holds }: Found): string[] {
  return [verdict, ...(holds.means ? [HOLDS.means] : []), ...(holds.trimmed ? [HOLDS.trimmed] : [])];
}

export interface Effort {
  readonly work: string;
  readonly draws: number;
  /** Verdicts on every pool. */
  readonly resamples: number;
  /** And on those in which nothing is planted. */
  readonly repeats: number;
}

/** Draws until there are so many, block by block, of which those that are done are not made again; the draws of one number are the same whatever the number. */
function tally(file: string, done: Line[], key: string, wanted: number, one: (random: Random) => Found): Counts {
  const sum: Record<string, number> = {};
  const add = (found: Counts) => {
    for (const [name, times] of Object.entries(found)) sum[name] = (sum[name] ?? 0) + times;
  };
  let count = 0;
  for (const line of done) {
    if (line.key !== key || count + line.count > wanted) continue;
    count += line.count;
    add(line.found);
  }
  while (count < wanted) {
    const found: Record<string, number> = {};
    const size = Math.min(BLOCK, wanted - count);
    for (let i = 0; i < size; i++) {
      for (const name of countsOf(one(new Random('planted draw', key, count + i))))
        found[name] = (found[name] ?? 0) + 1;
    }
    const line: Line = { key, count: size, found };
    addLines(file, [line]);
    done.push(line);
    count += size;
    add(found);
  }
  return sum;
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly string[][];
}

const count = (value: number) => value.toLocaleString('en');

/** The verdicts on all pools, and how often all intervals hold the truth where nothing is planted. */
export function tablesOf(scores: Scores, { work, draws, resamples, repeats }: Effort, say: (line: string) => void) {
  const file = path.join(work, 'verdicts.jsonl');
  const done = linesOf<Line>(file);
  const cases = casesOf(scores);
  const counted = ({ name, pool, margin }: Case, size: number, wanted: number) =>
    tally(file, done, `${name} | ${size} | ${draws}`, wanted, (random) =>
      foundOn(pool, { size, draws, margin }, random),
    );

  const judged = cases.map((own) => {
    const { name, expected, margin, margins, demanded, isSmall } = own;
    const counts = SIZES.map((size) => {
      const found = counted(own, size, resamples);
      const right = found[expected] ?? 0;
      const undecided = found.undecided ?? 0;
      const none = isSmall ? (found['no effect'] ?? 0) : 0;
      say(`${name}, ${size}: ${JSON.stringify(found)}`);
      return { right, none, undecided, wrong: resamples - right - none - undecided };
    });
    const isRight = !demanded || counts.at(-1)!.right >= DEMANDED.right * resamples;
    const isSafe = counts.every(({ wrong }) => wrong <= DEMANDED.wrong * resamples);
    return [
      name,
      expected,
      margin.toFixed(3),
      margins === undefined ? '–' : margins.toFixed(1),
      ...counts.flatMap(({ right, none, undecided, wrong }) => [right, none, undecided, wrong].map(String)),
      isRight && isSafe ? 'yes' : 'NO',
    ];
  });
  const verdicts: Table = {
    columns: [
      'planted',
      'verdict',
      'margin',
      'effect, margins',
      ...SIZES.flatMap((size) => ['right', 'no effect', 'undecided', 'wrong'].map((what) => `${count(size)}: ${what}`)),
      'as demanded',
    ],
    rows: judged,
  };

  const share = (times: number | undefined) => `${((100 * (times ?? 0)) / repeats).toFixed(2)}%`;
  const calibration: Table = {
    columns: [
      `of ${count(repeats)}`,
      'samples',
      'all means held',
      'all trimmed means held',
      'no effect',
      'undecided',
      'another verdict',
    ],
    rows: cases
      .filter(({ expected }) => expected === 'no effect')
      .flatMap((own) =>
        SIZES.map((size) => {
          const found = counted(own, size, repeats);
          const [right, undecided] = [found['no effect'] ?? 0, found.undecided ?? 0];
          return [
            own.name,
            count(size),
            share(found[HOLDS.means]),
            share(found[HOLDS.trimmed]),
            share(right),
            share(undecided),
            share(repeats - right - undecided),
          ];
        }),
      ),
  };
  return { verdicts, calibration };
}
