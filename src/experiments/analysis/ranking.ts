/** How well conditions rank the candidates of pools: measures per pool, their means, and differences to the baseline pool by pool. */
import type { Random } from '../../base/random.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import { mean } from '../../stats/describe.js';
import {
  correctFamilies,
  inferredMeans,
  inferredMeasures,
  type Sampling,
  summarizeGains,
  summarizeMeasureDifferences,
} from '../../stats/gains.js';
import { measure } from '../../stats/ranking.js';
import type { Unit } from './clusters.js';
import type { Columns } from './columns.js';
import { type RankedPool, rankedPools, valuesOf } from './ranked-pools.js';
import { type Capped, recordedCorrection, recordedGain } from './recorded.js';
import { samplings } from './samplings.js';

/**
 * @param scored the candidates that the columns are of, in their order
 * @param records all candidates that were to be scored
 * @param units all pools, in the order in which they borrow from each other
 */
export function summarizeRanking(
  configuration: Configuration,
  scored: readonly SampleRecord[],
  records: readonly SampleRecord[],
  units: readonly Unit[],
  columns: Columns,
  random: Random,
): RankingSummary {
  const { measures, conditions, comparisons } = configuration.experiment;
  const pools = rankedPools(scored, records);
  const samplingBy = samplings(units, configuration, random);
  const computed = measures.map(measure);
  const values = new Map(
    conditions.map(({ name }) => [name, pools.map((pool) => valuesOf(computed, pool, columns.trials(name)))]),
  );
  const usable = computed.map((_, m) =>
    [...pools.keys()].filter((p) => values.get(conditions[0]!.name)![p]![m] !== undefined),
  );
  const names = usable.map((places) => places.map((place) => pools[place]!.name));
  const of = (condition: string, m: number) => usable[m]!.map((p) => values.get(condition)![p]![m]!);
  const compared = comparisons.map((comparison) => {
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
        return recordedGain(summarizeMeasureDifferences([list], samplingBy(names[m]!), random)[0]!);
      }),
      differential:
        signal.values.length > 1
          ? recordedGain(
              summarizeGains([signal.values], samplingBy(signal.pools), random).summaries[0]!,
              capped && cappedSignal(capped, samplingBy(signal.pools), columns, baseline),
            )
          : null,
    };
  });
  const families = comparisons.map(({ family }) => family ?? '');
  const correctedOf = (gains: readonly (GainRecord | null)[]) =>
    correctFamilies(
      families,
      gains.map((gain) => gain?.p.mean ?? null),
    ).map(recordedCorrection);
  const corrected = computed.map((_, m) => correctedOf(compared.map(({ differences }) => differences[m]!)));
  const signals = correctedOf(compared.map(({ differential }) => differential));
  return {
    pools: pools.length,
    candidates: scored.length,
    unranked: pools.filter(({ places }) => places.length === 0).map(({ name }) => name),
    measures: computed.map(({ name }, m) => ({
      name,
      pools: usable[m]!.length,
      clusters: samplingBy(names[m]!).dependence.clusters.length,
    })),
    conditions: conditions.map(({ name }) => ({
      name,
      means: computed.map((_, m) => inferredMeasures([of(name, m)], samplingBy(names[m]!))[0]!),
      judged_means: computed.map(({ nothingToFind }, m) =>
        nothingToFind === undefined ? null : mean(values.get(name)!.map((own) => own[m] ?? nothingToFind)),
      ),
    })),
    comparisons: compared.map((comparison, c) => ({
      ...comparison,
      corrected: corrected.map((ofMeasure) => ofMeasure[c]!),
      ...(comparison.differential && { differential_corrected: signals[c]! }),
    })),
  };
}

function cappedSignal({ values }: Signal, sampling: Sampling, { nlls, cap }: Columns, baseline: string): Capped {
  const before = nlls(baseline);
  return {
    mean: inferredMeans([values], sampling)[0]!,
    above: before.filter((nll) => nll > cap!).length / before.length,
  };
}

/** The differential signal: for each pool with both kinds of candidates, the mean gain of its relevant candidates minus that of the others. */
function differentialSignal(
  pools: readonly RankedPool[],
  baseline: readonly number[],
  treatment: readonly number[],
): Signal {
  const found = pools.flatMap(({ name, places, candidates, grades, relevant }) => {
    const gains: [number[], number[]] = [[], []];
    for (const [i, place] of places.entries()) {
      const side = gains[Number(grades.get(candidates[i]!)! >= relevant)]!;
      side.push(baseline[place]! - treatment[place]!);
    }
    const [others, wanted] = gains;
    return others.length > 0 && wanted.length > 0 ? [{ name, value: mean(wanted) - mean(others) }] : [];
  });
  return { values: found.map(({ value }) => value), pools: found.map(({ name }) => name) };
}

/** One number a pool, and which pools these are. */
interface Signal {
  readonly values: readonly number[];
  readonly pools: readonly string[];
}
