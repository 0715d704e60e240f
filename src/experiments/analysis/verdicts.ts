/** One verdict a prefix: what its gain is made of, from groups of contrasts whose steps have intervals that hold together. */
import type { Configuration } from '../../runs/schema/configuration.js';
import type { ContrastGroup } from '../../runs/schema/experiment.js';
import type { VerdictRecord } from '../../runs/schema/verdict.js';
import type { Partition } from '../../stats/dependence.js';
import { mean } from '../../stats/describe.js';
import type { Sampling } from '../../stats/gains.js';
import {
  errorForNil,
  LEVEL,
  marginOf,
  mechanismOf,
  STEPS,
  type State,
  type Step,
  stateOf,
} from '../../stats/mechanism.js';
import { simultaneousMeans } from '../../stats/simultaneous.js';
import { type Columns, weighted } from './columns.js';

/** Where no earlier run says how large the whole gain is, every fifth cluster does, which no interval may have a part in then. */
const SET_ASIDE = 5;

/** The steps that a total is the sum of. */
export const CHAIN: readonly Step[] = ['H', 'W', 'P0', 'V'];

/** The groups of contrasts that a verdict is on. */
export function judgedGroups(groups: readonly ContrastGroup[]): ContrastGroup[] {
  return groups.filter(
    ({ verdict, contrasts }) => verdict !== undefined && contrasts.some(({ name }) => name === 'P0'),
  );
}

/**
 * @param clusters of all samples, by their places in the columns
 * @param samplingOf resamples of some of them, by places in ascending order
 * @param earlier the earlier run that says how large the whole gains are
 */
export function summarizeVerdicts(
  groups: readonly ContrastGroup[],
  columns: Columns,
  clusters: Partition,
  samplingOf: (places: readonly number[]) => Sampling,
  earlier: Configuration['margin_from'],
): VerdictRecord[] {
  const places = (own: Partition) => own.flat().sort((a, b) => a - b);
  const isAside = (g: number) => !earlier && g % SET_ASIDE === 0;
  const aside = places(clusters.filter((_, g) => isAside(g)));
  const rest = places(clusters.filter((_, g) => !isAside(g)));
  const judged = judgedGroups(groups);
  if (judged.length === 0 || rest.length === 0) return [];
  const sampling = samplingOf(rest);
  return [...new Set(judged.map(({ verdict }) => verdict!))].flatMap((together) =>
    judgedTogether(
      together,
      judged.filter(({ verdict }) => verdict === together),
      (terms, of) => {
        const all = weighted(terms, columns.nlls);
        return of === 'aside' ? aside.map((place) => all[place]!) : rest.map((place) => all[place]!);
      },
      sampling,
      earlier,
    ),
  );
}

type Values = (terms: ContrastGroup['contrasts'][number]['terms'], of: 'aside' | 'rest') => number[];

function judgedTogether(
  together: string,
  groups: readonly ContrastGroup[],
  values: Values,
  sampling: Sampling,
  earlier: Configuration['margin_from'],
): VerdictRecord[] {
  const steps = groups.map(({ contrasts }) =>
    STEPS.flatMap((step) => {
      const terms = contrasts.find(({ name }) => name === step)?.terms;
      return terms ? [{ step, terms, key: JSON.stringify(terms) }] : [];
    }),
  );
  // A step that several prefixes share, as what the bare document does, counts once.
  const distinct = new Map(steps.flat().map(({ key, terms }) => [key, terms]));
  const { critical, means } = simultaneousMeans(
    [...distinct.values()].map((terms) => values(terms, 'rest')),
    sampling,
    LEVEL,
  );
  const found = new Map([...distinct.keys()].map((key, at) => [key, means[at]!]));
  return groups.map(({ title }, g) => {
    const own = steps[g]!;
    const ofAside = () =>
      own.filter(({ step }) => CHAIN.includes(step)).reduce((sum, { terms }) => sum + mean(values(terms, 'aside')), 0);
    const total = earlier ? earlier.totals.find((one) => one.title === title)!.total : ofAside();
    const margin = marginOf(total);
    const records = own.map(({ step, key }) => {
      const { mean, trimmedMean, standardError } = found.get(key)!;
      const state = stateOf({ mean, trimmedMean }, margin);
      return { name: step, state, mean, trimmed_mean: trimmedMean, standard_error: standardError };
    });
    const states = Object.fromEntries(records.map(({ name, state }) => [name, state])) as Record<'P0', State>;
    return {
      title,
      together,
      ...mechanismOf(states),
      absent: STEPS.filter((step) => !(step in states)),
      total,
      margin,
      samples: values(own[0]!.terms, 'rest').length,
      critical,
      error_needed: critical === null ? null : errorForNil(margin, critical),
      steps: records,
    };
  });
}
