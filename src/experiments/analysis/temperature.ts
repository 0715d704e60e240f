/** Which part of each gain the temperatures of its arms make up, from trials with NLLs at several temperatures. */
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { TemperatureEffectRecord, TemperatureSummary } from '../../runs/schema/temperature.js';
import type { Sampling } from '../../stats/gains.js';
import {
  type TemperatureEffect,
  type TemperatureOptions,
  type TemperedArm,
  temperatureEffect,
  temperedArm,
  temperedTokens,
} from '../../stats/temperature.js';
import { askedField, comparedNames, comparedOf } from './compared.js';

/** The margin in nats per token: a remaining gain that is shown to be smaller is called none. */
const MARGIN = 0.05;

/** Told of how many trials the curves of their tokens are made, of how many: nearly all the time that a summary with temperatures takes. */
export type StatisticsProgress = (done: number, total: number) => void;

/** @returns undefined where the experiment does not ask for it, or with fewer than two clusters, of which one would be scored with what it chose */
export function summarizeTemperature(
  configuration: Configuration,
  trials: (condition: string) => readonly Trial[],
  sampling: Sampling,
  vocabulary: number | undefined,
  onTrial?: StatisticsProgress,
): TemperatureSummary | undefined {
  const { outcomes = [] } = configuration.experiment;
  const { clusters } = sampling.dependence;
  if (!outcomes.includes('temperature') || clusters.length < 2 || vocabulary === undefined) return undefined;
  const compared = comparedOf(configuration);
  const names = comparedNames(configuration, compared);
  const armsOf = (options: TemperatureOptions) =>
    new Map([...tokens].map(([name, own]) => [name, temperedArm(own, clusters, options)]));
  // Nine digits identify a float32 number, and are not it.
  const columns = names.map((name) => [name, trials(name)] as const);
  const total = columns.reduce((sum, [, own]) => sum + own.length, 0);
  let done = 0;
  const tokens = new Map(
    columns.map(([name, own]) => [
      name,
      own.map((trial) => {
        const made = temperedTokens(Float32Array.from(askedField(trial, 'tempered_nlls').flat()), vocabulary);
        done += 1;
        onTrial?.(done, total);
        return made;
      }),
    ]),
  );
  const effects = (arms: ReadonlyMap<string, TemperedArm>) =>
    compared.map(({ treatment, baseline }) =>
      recorded(temperatureEffect(arms.get(baseline)!, arms.get(treatment)!, sampling, MARGIN)),
    );
  const all = effects(armsOf({}));
  const capped = effects(armsOf({ cap: Math.log(vocabulary) }));
  const hasLater = [...tokens.values()].some((samples) => samples.some((own) => own.length > 1));
  const apart = hasLater ? effects(armsOf({ apart: true })) : undefined;
  return {
    margin: MARGIN,
    comparisons: compared.map(({ treatment, baseline }, c) => ({
      treatment,
      baseline,
      all: all[c]!,
      capped: capped[c]!,
      apart: apart?.[c] ?? null,
    })),
  };
}

function recorded({ atOne, equivalence, ...same }: TemperatureEffect): TemperatureEffectRecord {
  return { at_one: atOne, ...same, p_equivalence: equivalence };
}
