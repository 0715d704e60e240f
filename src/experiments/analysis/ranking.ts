/** How well conditions rank the candidates of pools: measures per pool, their means, and differences to the baseline pool by pool. */
import type { Random } from '../../base/random.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { mean } from '../../stats/describe.js';
import { inferredMeans, meanEstimate, type Sampling, samplingOf, summarizeGains } from '../../stats/gains.js';
import { type Measure, measure, type Scores } from '../../stats/ranking.js';
import { dependenceOf, type Unit } from './clusters.js';
import type { Columns } from './columns.js';
import { type Capped, recordedGain } from './recorded.js';

interface RankedPool {
  readonly name: string;
  readonly query: string | undefined;
  readonly kind: string | undefined;
  /** Of all judged candidates, scored or not. */
  readonly grades: ReadonlyMap<string, number>;
  readonly relevant: number;
  /** Places of the scored candidates in the columns. */
  readonly places: readonly number[];
  readonly candidates: readonly string[];
}

/**
 * @param scored the candidates that the columns are of, in their order
 * @param records all candidates that were to be scored
 */
export function summarizeRanking(
  configuration: Configuration,
  scored: readonly SampleRecord[],
  records: readonly SampleRecord[],
  columns: Columns,
  random: Random,
): RankingSummary {
  const { measures, conditions, comparisons } = configuration.experiment;
  const pools = poolsOf(scored, records);
  const all = pools.map(({ name, query, kind }) => ({ id: name, query, kind }));
  const samplingBy = samplings(all, configuration, random);
  const computed = measures.map(measure);
  const values = new Map(
    conditions.map(({ name }) => [name, pools.map((pool) => valuesOf(computed, pool, columns.trials(name)))]),
  );
  const usable = computed.map((_, m) =>
    [...pools.keys()].filter((p) => values.get(conditions[0]!.name)![p]![m] !== undefined),
  );
  const of = (condition: string, m: number) => usable[m]!.map((p) => values.get(condition)![p]![m]!);
  return {
    pools: pools.length,
    candidates: scored.length,
    unranked: pools.filter(({ places }) => places.length === 0).map(({ name }) => name),
    measures: computed.map(({ name }, m) => ({ name, pools: usable[m]!.length })),
    conditions: conditions.map(({ name }) => ({
      name,
      means: computed.map((_, m) => meanEstimate(of(name, m), random)),
      judged_means: computed.map(({ nothingToFind }, m) =>
        nothingToFind === undefined ? null : mean(values.get(name)!.map((own) => own[m] ?? nothingToFind)),
      ),
    })),
    comparisons: comparisons.map((comparison) => {
      const { treatment, baseline } = comparison;
      const signal = differentialSignal(pools, columns.nlls(baseline), columns.nlls(treatment));
      const capped =
        columns.cap === undefined
          ? undefined
          : differentialSignal(pools, columns.capped(baseline), columns.capped(treatment));
      return {
        ...comparison,
        differences: computed.map((_, m) => {
          const before = of(baseline, m);
          const list = of(treatment, m).map((value, i) => value - before[i]!);
          return recordedGain(summarizeGains([list], samplingBy(usable[m]!), random).summaries[0]!);
        }),
        differential:
          signal.values.length > 1
            ? recordedGain(
                summarizeGains([signal.values], samplingBy(signal.places), random).summaries[0]!,
                capped && cappedSignal(capped, samplingBy(signal.places), columns, baseline),
              )
            : null,
      };
    }),
  };
}

/** Resamples of pools, the same ones for the same pools. */
function samplings(
  all: readonly Unit[],
  configuration: Configuration,
  random: Random,
): (places: readonly number[]) => Sampling {
  const made = new Map<string, Sampling>();
  return (places) => {
    const key = places.join();
    const kept = places.map((place) => all[place]!);
    const sampling = made.get(key) ?? samplingOf(dependenceOf(kept, all, configuration).dependence, random);
    made.set(key, sampling);
    return sampling;
  };
}

function cappedSignal({ values }: Signal, sampling: Sampling, { nlls, cap }: Columns, baseline: string): Capped {
  const before = nlls(baseline);
  return {
    mean: inferredMeans([values], sampling)[0]!,
    above: before.filter((nll) => nll > cap!).length / before.length,
  };
}

function poolsOf(scored: readonly SampleRecord[], records: readonly SampleRecord[]): RankedPool[] {
  const byPool = new Map<string, SampleRecord[]>();
  // In the order of the columns, so that resamples do not depend on what was rejected.
  for (const record of [...records].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const { pool = '' } = record;
    byPool.set(pool, [...(byPool.get(pool) ?? []), record]);
  }
  const placesByPool = new Map<string, number[]>();
  for (const [place, { pool = '' }] of scored.entries()) {
    placesByPool.set(pool, [...(placesByPool.get(pool) ?? []), place]);
  }
  const nameOf = ({ candidate, id }: SampleRecord) => candidate ?? id;
  return [...byPool].map(([name, judged]) => {
    const places = placesByPool.get(name) ?? [];
    return {
      name,
      places,
      query: judged[0]!.texts?.query,
      kind: judged[0]!.kind,
      candidates: places.map((place) => nameOf(scored[place]!)),
      relevant: judged[0]!.relevant ?? 1,
      grades: new Map(judged.map((record) => [nameOf(record), record.grade ?? 0])),
    };
  });
}

/** A candidate's score is the negative mean NLL of the target: higher is better. */
function valuesOf(measures: readonly Measure[], pool: RankedPool, trials: readonly Trial[]): (number | undefined)[] {
  const scores: Scores = new Map(pool.candidates.map((candidate, i) => [candidate, -trials[pool.places[i]!]!.nll]));
  const binary = new Map([...pool.grades].map(([candidate, grade]) => [candidate, Number(grade >= pool.relevant)]));
  return measures.map(({ name, of }) => of(scores, name.startsWith('nDCG') ? pool.grades : binary));
}

/** Per pool with both kinds: mean gain of its relevant candidates less mean gain of the others. */
function differentialSignal(
  pools: readonly RankedPool[],
  baseline: readonly number[],
  treatment: readonly number[],
): Signal {
  const found = pools.flatMap(({ places, candidates, grades, relevant }, pool) => {
    const gains: [number[], number[]] = [[], []];
    for (const [i, place] of places.entries()) {
      const side = gains[Number(grades.get(candidates[i]!)! >= relevant)]!;
      side.push(baseline[place]! - treatment[place]!);
    }
    const [others, wanted] = gains;
    return others.length > 0 && wanted.length > 0 ? [{ pool, value: mean(wanted) - mean(others) }] : [];
  });
  return { values: found.map(({ value }) => value), places: found.map(({ pool }) => pool) };
}

/** One number a pool, and which pools these are. */
interface Signal {
  readonly values: readonly number[];
  readonly places: readonly number[];
}
