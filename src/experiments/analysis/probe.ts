/** Means over samples of what was measured inside the encoder. */
import type { Random } from '../../base/random.js';
import type { ProbeTrial } from '../../runs/schema/entry.js';
import { PROBE_MEASURES, type ProbeMeasure, type ProbeSummary } from '../../runs/schema/probe.js';
import { meanEstimate } from '../../stats/gains.js';

const RESAMPLES = 2000;

export function summarizeProbe(
  conditions: readonly { readonly name: string }[],
  trials: readonly ProbeTrial[],
  random: Random,
): ProbeSummary {
  const layers = [...new Set(trials.flatMap((trial) => trial.layers.map(({ layer }) => layer)))].sort((a, b) => a - b);
  const measured = new Set(trials.flatMap((trial) => trial.layers.flatMap(({ measures }) => Object.keys(measures))));
  const names = (Object.keys(PROBE_MEASURES) as ProbeMeasure[]).filter((name) => measured.has(name));
  const meanOf = (values: readonly number[]) => (values.length === 0 ? null : meanEstimate(values, random, RESAMPLES));
  return {
    samples: new Set(trials.map(({ sample }) => sample)).size,
    layers,
    conditions: conditions.map(({ name }) => {
      const own = trials.filter(({ condition }) => condition === name).sort((a, b) => (a.sample < b.sample ? -1 : 1));
      return {
        name,
        measures: names.map((measure) => ({
          name: measure,
          by_layer: layers.map((layer) =>
            meanOf(
              own.flatMap((trial) => {
                const value = trial.layers.find((entry) => entry.layer === layer)?.measures[measure];
                return value === undefined ? [] : [value];
              }),
            ),
          ),
        })),
      };
    }),
  };
}
