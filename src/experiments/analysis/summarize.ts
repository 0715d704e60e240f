/**
 * From the trials of a run to its summary: a pure function of the configuration and the journal's content, without times, so that an
 * interrupted and resumed run ends in the same bytes as an undisturbed one.
 */
import { Random } from '../../base/random.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import {
  type Entry,
  emptyTarget,
  expectFiniteEntry,
  isProbe,
  isRejection,
  isTrial,
  type Trial,
} from '../../runs/schema/entry.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import { RECORD_FORMAT } from '../../runs/schema/format.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { PlannedRun } from '../../runs/schema/locked-plan.js';
import type { SampleRecord } from '../../runs/schema/sample.js';
import type { PassCounts, Summary } from '../../runs/schema/summary.js';
import { mean } from '../../stats/describe.js';
import { type Sampling, samplingOf } from '../../stats/gains.js';
import { detectableD } from '../../stats/power.js';
import { RESAMPLES } from '../../stats/resamples.js';
import { borrowsWords, dependenceOf, recordedDependence, type Unit, unitOf } from './clusters.js';
import { type Columns, columnsOf, scoredOf, termsOf, trialsOf, weighted } from './columns.js';
import { summarizeContrast } from './contrast.js';
import { checkIdentities } from './identities.js';
import { summarizePaired } from './paired.js';
import { planOutcome } from './planned.js';
import { summarizeProbe } from './probe.js';
import { summarizeRanking } from './ranking.js';
import { screenRanking } from './ranking-screen.js';
import { summarizeRecall } from './recall.js';
import { samplings } from './samplings.js';
import { isSelfTest } from './self-tests.js';
import { type StatisticsProgress, summarizeTemperature } from './temperature.js';
import { summarizeVerdicts } from './verdicts.js';

/**
 * @param vocabulary how many tokens the model knows, where the configuration does not say it
 * @param planned the plan that the run is under
 * @param onProgress told how far it is where that takes long
 */
export function summarize(
  configuration: Configuration,
  entries: readonly Entry[],
  records: readonly SampleRecord[],
  passes: PassCounts,
  vocabulary = configuration.model.vocabulary,
  planned?: PlannedRun,
  onProgress?: StatisticsProgress,
): Summary {
  for (const entry of entries) expectFiniteEntry(entry);
  const { experiment, seed } = configuration;
  const trials = entries.filter(isTrial);
  const probes = entries.filter(isProbe);
  const scored = new Set([...trials, ...probes].map(({ sample }) => sample));
  // A sample whose surrogate could not be written at first may have been scored later.
  const rejected = entries.filter(isRejection).filter(({ sample }) => !scored.has(sample));
  const kept = scoredOf(records, scored);
  const column = trialsOf(experiment.conditions, trials, kept);
  const ofRun = columnsOf(column, vocabulary);
  const countSamples = (test: (trial: Trial) => boolean) => new Set(trials.filter(test).map((t) => t.sample)).size;
  const isPooled = experiment.unit === 'pool';
  // Where nothing was asked there is nothing to rank by; the protocol's N has such samples.
  const empty = new Set(
    rejected.filter(({ rejected: reason }) => reason === emptyTarget(experiment.target)).map(({ sample }) => sample),
  );
  const asked = records.filter(({ id }) => !empty.has(id));
  // Those that were rejected are among the protocol's N, and are counted beside the numbers.
  const away = new Set(rejected.map(({ sample }) => sample));
  const read = records.filter(({ id }) => scored.has(id) || away.has(id));
  const scoredUnits = isPooled ? poolsOf(kept) : kept.map(unitOf);
  const units = scoredUnits.length;
  const allUnits = isPooled ? poolsOf(records) : records.map(unitOf);
  const depending = dependenceOf(scoredUnits, allUnits, configuration);
  const screening = screenRanking(experiment, records, trials);
  const random = new Random('bootstrap', seed);
  const sampling = samplingOf(depending.dependence, random);
  const measured = {
    sample: () => summarizePaired(configuration, ofRun, sampling, random),
    pool: () => ({
      ...NOTHING_COMPARED,
      ranking: {
        ...summarizeRanking(configuration, kept, asked, allUnits, ofRun, random),
        ...(screening && { screening }),
      },
    }),
    probe: () => ({
      ...NOTHING_COMPARED,
      probe: summarizeProbe(experiment.conditions, probes, samplings(allUnits, configuration, random)),
    }),
  }[experiment.unit]();
  const outcomes =
    experiment.unit === 'sample'
      ? outcomesOf(configuration, column, kept, allUnits, sampling, vocabulary, onProgress)
      : {};
  const verdicts =
    experiment.unit === 'sample'
      ? summarizeVerdicts(
          experiment.contrasts,
          ofRun,
          depending.dependence.clusters,
          (places) =>
            samplingOf(
              dependenceOf(
                places.map((place) => scoredUnits[place]!),
                allUnits,
                configuration,
              ).dependence,
              new Random('verdict', seed),
            ),
          configuration.margin_from,
        )
      : [];
  const summary: Summary = {
    format: RECORD_FORMAT,
    configuration,
    smoke_run:
      (isPooled ? poolsOf(read) : read).length < (planned?.locked.configuration.samples ?? experiment.protocol.samples),
    ...(vocabulary !== undefined && { vocabulary }),
    detectable_d: detectableD(primaryGain(experiment, measured)?.effective_samples || units),
    samples: {
      scored: kept.length,
      clusters: depending.dependence.clusters.length,
      dependence: recordedDependence(depending, ...gainsOf(configuration, ofRun, isPooled)),
      rejected: rejected.sort((a, b) => (a.sample < b.sample ? -1 : 1)),
      cut: countSamples(({ cut }) => cut),
      joint_differs: countSamples(({ joint_differs }) => joint_differs === true),
      literal: literalsOf(kept),
    },
    passes,
    resamples: RESAMPLES,
    conditions: (experiment.unit === 'probe' ? [] : experiment.conditions).map(({ name }) => ({
      name,
      nll: mean(column(name).map(({ nll }) => nll)),
      prefix_tokens: meanOfKnown(column(name).map((trial) => trial.prefix_tokens)),
      document_tokens: meanOfKnown(column(name).map((trial) => trial.document_tokens)),
      leak: configuration.imported ? null : column(name).filter(({ leak }) => leak).length / kept.length,
    })),
    identities: checkIdentities(configuration, column),
    ...measured,
    ...(verdicts.length > 0 && { verdicts }),
    ...outcomes,
  };
  return planned ? { ...summary, plan: planOutcome(planned, summary, units, ofRun, sampling) } : summary;
}

/** What was measured beside NLLs. */
function outcomesOf(
  configuration: Configuration,
  trials: (condition: string) => readonly Trial[],
  samples: readonly SampleRecord[],
  units: readonly Unit[],
  sampling: Sampling,
  vocabulary: number | undefined,
  onProgress: StatisticsProgress | undefined,
): Pick<Summary, 'temperature' | 'contrast' | 'recall'> {
  // A stream of its own: what else is drawn does not depend on which outcomes are asked for.
  const someOf = samplings(units, configuration, new Random('contrast', configuration.seed));
  const temperature = summarizeTemperature(configuration, trials, sampling, vocabulary, onProgress);
  const contrast = summarizeContrast(configuration, trials, samples, sampling, someOf);
  const recall = summarizeRecall(configuration, trials, sampling);
  return { ...(temperature && { temperature }), ...(contrast && { contrast }), ...(recall && { recall }) };
}

/** The mean; null where a trial does not record the value, as imported ones may not. */
function meanOfKnown(values: readonly (number | undefined)[]): number | null {
  const known = values.filter((value) => value !== undefined);
  return known.length < values.length ? null : mean(known);
}

/** The pools as units, each with its own query. */
function poolsOf(candidates: readonly SampleRecord[]): Unit[] {
  const pools = new Map(candidates.map(({ pool = '', texts, kind }) => [pool, { query: texts?.query, kind }]));
  return [...pools].map(([id, shared]) => ({ id, ...shared }));
}

/** The primary comparison's gain, in NLL or for a ranking in the first measure. */
function primaryGain(
  experiment: Experiment,
  { comparisons, ranking }: Pick<Summary, 'comparisons' | 'ranking'>,
): GainRecord | undefined {
  const primary = experiment.primary ?? experiment.comparisons[0];
  const isPrimary = ({ treatment, baseline }: { readonly treatment: string; readonly baseline: string }) =>
    treatment === primary?.treatment && baseline === primary.baseline;
  return comparisons.find(isPrimary)?.gain ?? ranking?.comparisons.find(isPrimary)?.differences[0];
}

/** Gains of the primary comparison, and those of the comparisons whose words are borrowed; none of pools, whose candidates are no units. */
function gainsOf(
  configuration: Configuration,
  columns: Columns,
  isPooled: boolean,
): [primary: readonly number[] | undefined, borrowed: readonly (readonly number[])[]] {
  const { experiment } = configuration;
  const primary = experiment.primary ?? experiment.comparisons[0];
  if (isPooled || primary === undefined) return [undefined, []];
  const borrowed = experiment.comparisons.filter(
    (comparison) => borrowsWords(experiment, comparison.treatment) && !isSelfTest(configuration, comparison),
  );
  return [
    weighted(termsOf(primary), columns.nlls),
    borrowed.map((comparison) => weighted(termsOf(comparison), columns.nlls)),
  ];
}

const NOTHING_COMPARED = { comparisons: [], contrasts: [], orders: [], selections: [] };

function literalsOf(samples: readonly SampleRecord[]): Summary['samples']['literal'] {
  const all = (lists: readonly (readonly string[])[]) => [...new Set(lists.flat())].sort();
  const found = samples.flatMap(({ control_tokens = [] }) => (control_tokens.length > 0 ? [control_tokens] : []));
  const pieces = all(samples.map(({ control_pieces = [] }) => control_pieces));
  return { samples: found.length, tokens: all(found), ...(pieces.length > 0 && { pieces }) };
}
