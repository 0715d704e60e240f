/** What the model says under each condition, and whether a treatment makes it say the answer more often. */
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Trial } from '../../runs/schema/entry.js';
import type { RecallOutcome } from '../../runs/schema/outcomes.js';
import { mean } from '../../stats/describe.js';
import type { Sampling } from '../../stats/gains.js';
import { askedField, comparedNames, comparedOf, differences, holmOf } from './compared.js';

/** @returns undefined where the experiment does not ask for it */
export function summarizeRecall(
  configuration: Configuration,
  trials: (condition: string) => readonly Trial[],
  sampling: Sampling,
): RecallOutcome | undefined {
  const pairs = comparedOf(configuration);
  if (!configuration.experiment.outcomes?.includes('recall') || pairs.length === 0) return undefined;
  const names = comparedNames(configuration, pairs);
  const said = new Map(names.map((name) => [name, trials(name).map((trial) => askedField(trial, 'said'))]));
  const valuesOf = (name: string, of: 'contains' | 'equals' | 'f1' | 'tokens' | 'ended') =>
    said.get(name)!.map((own) => Number(own[of]));
  const gains = (of: 'contains' | 'equals' | 'f1' | 'tokens', range?: number) =>
    differences(pairs, (name) => valuesOf(name, of), sampling, range);
  const [contains, equals, f1] = [gains('contains', 1), gains('equals', 1), gains('f1', 1)];
  const tokens = gains('tokens');
  const holm = holmOf(pairs, contains);
  return {
    conditions: names.map((name) => ({
      name,
      contains: mean(valuesOf(name, 'contains')),
      equals: mean(valuesOf(name, 'equals')),
      f1: mean(valuesOf(name, 'f1')),
      tokens: mean(valuesOf(name, 'tokens')),
      ended: mean(valuesOf(name, 'ended')),
    })),
    comparisons: pairs.map(({ treatment, baseline }, c) => ({
      treatment,
      baseline,
      contains: contains[c]!.mean,
      p: contains[c]!.p,
      p_holm: holm[c]!,
      equals: equals[c]!.mean,
      f1: f1[c]!.mean,
      tokens: tokens[c]!.mean,
    })),
  };
}
