/** Means over samples of what was measured inside the encoder. */
import type { ProbeTrial } from '../../runs/schema/entry.js';
import { PROBE_MEASURES, type ProbeMeasure, type ProbeSummary } from '../../runs/schema/probe.js';
import { inferredMeans, type Sampling } from '../../stats/gains.js';

/** @param samplingOf of the samples with these ids */
export function summarizeProbe(
  conditions: readonly { readonly name: string }[],
  trials: readonly ProbeTrial[],
  samplingOf: (ids: readonly string[]) => Sampling,
): ProbeSummary {
  const layers = [...new Set(trials.flatMap((trial) => trial.layers.map(({ layer }) => layer)))].sort((a, b) => a - b);
  const measured = new Set(trials.flatMap((trial) => trial.layers.flatMap(({ measures }) => Object.keys(measures))));
  const names = (Object.keys(PROBE_MEASURES) as ProbeMeasure[]).filter((name) => measured.has(name));
  return {
    samples: new Set(trials.map(({ sample }) => sample)).size,
    layers,
    conditions: conditions.map(({ name }) => {
      const own = trials.filter(({ condition }) => condition === name).sort((a, b) => (a.sample < b.sample ? -1 : 1));
      const meanOf = (measure: ProbeMeasure, layer: number) => {
        const found = own.flatMap(({ sample, layers: looked }) => {
          const value = looked.find((entry) => entry.layer === layer)?.measures[measure];
          return value === undefined ? [] : [{ sample, value }];
        });
        if (found.length === 0) return null;
        const values = found.map(({ value }) => value);
        return inferredMeans([values], samplingOf(found.map(({ sample }) => sample)))[0]!;
      };
      return {
        name,
        measures: names.map((measure) => ({ name: measure, by_layer: layers.map((layer) => meanOf(measure, layer)) })),
      };
    }),
  };
}
