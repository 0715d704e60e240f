/** A plan for a run: what it is to be, how many samples it needs, and the one test that it is made for. */

import { Breather } from '../../base/breather.js';
import { DkvError } from '../../base/errors.js';
import { Random } from '../../base/random.js';
import { locked, ownCode } from '../../runs/locked-plan.js';
import type { Configuration } from '../../runs/schema/configuration.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import {
  type Hypothesis,
  type LockedPlan,
  NATS,
  PLAN_FORMAT,
  type PlanContent,
  type PlannedTest,
} from '../../runs/schema/locked-plan.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import type { Dataset, PoolSet } from '../../samples/dataset.js';
import { tokensRead } from '../../scoring/inputs.js';
import type { Model } from '../../scoring/load-model.js';
import { intraclassCorrelation, type Partition } from '../../stats/dependence.js';
import { mean, standardDeviation } from '../../stats/describe.js';
import { finite } from '../../stats/gains.js';
import {
  approximateSamples,
  deviationInterval,
  isUsablePilot,
  MOST_SIMULATED,
  type PowerRequest,
  SIMULATIONS,
  type SimulatedPower,
  samplesForPower,
  samplesWorth,
  sharingOf,
  simulatedPower,
  worthOf,
} from '../../stats/power.js';
import { dependenceOf, kindOf, type UnitDependence } from '../analysis/clusters.js';
import { termsOf } from '../analysis/columns.js';
import { recordedDifferences } from '../analysis/differences.js';
import { EXCLUSIONS } from '../plan/exclusions.js';
import { computableBy, configurationOf } from './configuration.js';
import { earlyEndsOf } from './prescreen.js';

export interface PlanOptions {
  /** The smallest mean difference of interest, in nats per token or in the first measure of a ranking. */
  readonly margin: number;
  readonly hypothesis: Hypothesis;
  /** The number of samples or pools. By default the pilot decides, or without a pilot the protocol. */
  readonly samples?: number;
  /** A finished run of the same experiment, model and data, with its trials. None of its samples is used again. */
  readonly pilot?: FinishedRun;
  /** The power that the planned test is to have, between 0 and 1. It is used together with a pilot. */
  readonly power: number;
  /** The run will continue although the model needs no help on its first samples. */
  readonly ignoreCeiling?: boolean;
  /** The run will continue although the model ranks the first pools hardly better than chance. */
  readonly ignoreFloor?: boolean;
  readonly maxTokens: number;
  /** The name of the language model that writes surrogates. */
  readonly writer?: string;
  /** This callback is called after each number of samples whose power was simulated. */
  readonly onSimulated?: (simulated: SimulatedPower) => void;
  /** This callback is called after each simulated run, with the number of samples, the runs that are done and all of them. */
  readonly onRun?: (samples: number, done: number, simulations: number) => void;
  /** Aborting this signal rejects with CANCELLED. */
  readonly signal?: AbortSignal;
  /** This callback is given sentences about what is looked at, where that takes a while. */
  readonly onNotice?: (notice: string) => void;
}

/** A margin of more of the pilot's standard deviations is a slip. */
const MOST_DEVIATIONS = 1000;

/**
 * Plans a run before its first trial.
 * @param open opens the data of a run of this many samples or pools, without the samples of these ids; it gives fewer where there are fewer
 * @throws DkvError INPUT_INVALID for an experiment without comparisons, a pilot of something else or too small, more samples than there are, and a
 * number of samples beyond what a simulation reaches
 */
export async function planRun(
  declared: Experiment,
  model: Model,
  open: (count: number, leftOut: readonly string[]) => Promise<Dataset | PoolSet>,
  options: PlanOptions,
): Promise<LockedPlan> {
  const computable = computableBy(declared, model, options.writer);
  const test = testOf(computable.experiment, options);
  const leftOut = options.pilot?.samples.map(({ id }) => id) ?? [];
  const maxTokens = tokensRead(model, options.maxTokens);
  const at = async (count: number): Promise<Planned> => {
    const data = await open(count, leftOut);
    const configuration = configurationOf(computable, data, model, { ...options, maxTokens });
    return { configuration, depending: dependenceOf(...unitsAt(data, configuration)) };
  };
  if (options.pilot)
    await expectOwnPilot(options.pilot, test, open, (data) =>
      configurationOf(computable, data, model, { ...options, maxTokens }),
    );
  const { planned, pilot } = options.pilot
    ? await withPilot(options.pilot, test, at, options)
    : { planned: await at(options.samples ?? declared.protocol.samples), pilot: undefined };
  const { configuration, depending } = planned;
  const { clusters } = depending.dependence;
  const content: PlanContent = {
    format: PLAN_FORMAT,
    made_at: new Date().toISOString(),
    test,
    configuration,
    exclusions: EXCLUSIONS,
    early_ends: earlyEndsOf(computable.experiment, options),
    clusters: {
      by: depending.by,
      number: clusters.length,
      largest: Math.max(0, ...clusters.map(({ length }) => length)),
    },
    code: await ownCode(),
    ...(pilot && { pilot }),
  };
  return locked(content);
}

interface Planned {
  readonly configuration: Configuration;
  readonly depending: UnitDependence;
}

function testOf({ id, unit, primary, comparisons, measures }: Experiment, options: PlanOptions): PlannedTest {
  const compared = primary ?? comparisons[0];
  const invalid = (message: string) => new DkvError('INPUT_INVALID', `Experiment ${id}: ${message}`);
  if (!compared || unit === 'probe') throw invalid('it compares nothing, so that there is no test to plan.');
  const { hypothesis, margin } = options;
  if (unit === 'pool' && hypothesis === 'equivalence') {
    throw invalid('equivalence is tested of NLLs, and this one ranks. Plan for a difference.');
  }
  const { treatment, baseline } = compared;
  const measure = unit === 'pool' ? measures[0] : NATS;
  if (measure === undefined) throw invalid('it names no measure of a ranking, so that there is no test to plan.');
  return { treatment, baseline, measure, hypothesis, margin };
}

/** The samples or pools, with how they depend on each other. */
function unitsAt(data: Dataset | PoolSet, configuration: Configuration): Parameters<typeof dependenceOf> {
  const all: readonly { readonly id: string; readonly query: string; readonly cluster?: string }[] =
    'samples' in data ? data.samples : data.pools;
  const units = all.map(({ id, query, cluster }) => ({
    id,
    query,
    cluster,
    kind: kindOf(id, configuration.dataset, configuration.seed),
  }));
  return [units, units, configuration];
}

/** The number of samples that the pilot asks for, and the data of a run of that many. */
async function withPilot(
  run: FinishedRun,
  test: PlannedTest,
  at: (count: number) => Promise<Planned>,
  options: PlanOptions,
): Promise<{ planned: Planned; pilot: NonNullable<PlanContent['pilot']> }> {
  const { power, samples: asked, onSimulated, onRun, signal } = options;
  const { experiment } = run.summary.configuration;
  if (experiment.unit !== 'sample') {
    throw new DkvError('INPUT_INVALID', `The pilot is a run of ${experiment.id}, which ranks: of a ranking give --n.`);
  }
  const protocol = await at(asked ?? experiment.protocol.samples);
  if (run.trials.length === 0) {
    throw new DkvError(
      'INPUT_INVALID',
      'The pilot’s folder holds no trials, whose differences are drawn. Give one with trials.',
    );
  }
  const recorded = recordedDifferences(run);
  const differences = recorded.of(termsOf(test));
  const clusters = drawnClusters(recorded.depending);
  if (!isUsablePilot(differences, clusters)) {
    throw new DkvError(
      'INPUT_INVALID',
      `The pilot has ${differences.length} samples in ${clusters.length} clusters: it takes six clusters, whose differences vary, to tell how many samples are needed.`,
    );
  }
  const largest = MOST_DEVIATIONS * standardDeviation(differences);
  if (test.margin > largest) {
    throw new DkvError(
      'INPUT_INVALID',
      `A margin of ${test.margin} is beyond anything that these differences can show. Give one below ${largest.toPrecision(2)}.`,
    );
  }
  const icc = intraclassCorrelation(differences, clusters);
  const { seed } = run.summary.configuration;
  const randomOf = (name: string, simulation: number) => new Random(name, seed, simulation);
  const turns = new Breather(signal, 'The plan was stopped; nothing was written.');
  const request: PowerRequest = {
    ...test,
    differences,
    clusters,
    power,
    randomOf,
    onRun: async (...run) => {
      onRun?.(...run);
      await turns.breathe();
    },
  };
  const pilot = { clusters, icc };
  const worth = ({ depending }: Planned, count: number) => worthOf(count, sharingOf(drawnClusters(depending)), pilot);
  const found = asked === undefined ? await reached(request, pilot, protocol, at, options) : undefined;
  const planned = found?.planned ?? protocol;
  const count = planned.configuration.samples;
  const known = worth(planned, count);
  const simulated = found?.simulated ?? [await simulatedPower(request, known)];
  if (!found) onSimulated?.(simulated[0]!);
  return {
    planned,
    pilot: {
      started_at: run.record.started_at,
      samples: run.samples.map(({ id }) => id),
      clusters: clusters.length,
      mean: mean(differences),
      standard_deviation: standardDeviation(differences),
      standard_deviation_interval: deviationInterval(differences, clusters, randomOf('deviation', 0)),
      icc: finite(icc),
      power,
      simulations: SIMULATIONS,
      simulated,
      worth: known,
    },
  };
}

/** The clusters that are drawn whole. Where partners' clusters cross those of the data, the data's are drawn, since partners are hardly alike. */
function drawnClusters({ dependence, own }: UnitDependence): Partition {
  return dependence.crossed ? own : dependence.clusters;
}

/**
 * The smallest run with the power: of as many samples as simulation asks for, and more where the planned data's clusters are larger than the pilot's. What no number of
 * samples reaches is refused before anything is simulated.
 */
async function reached(
  request: PowerRequest,
  pilot: { readonly clusters: Partition; readonly icc: number },
  protocol: Planned,
  at: (count: number) => Promise<Planned>,
  { onSimulated, onNotice }: Pick<PlanOptions, 'onSimulated' | 'onNotice'>,
): Promise<{ planned: Planned; simulated: readonly SimulatedPower[] }> {
  const advice = 'Choose a larger --margin or a lower --power, or give --n.';
  const beyond = (why: string) =>
    new DkvError(
      'INPUT_INVALID',
      `A power of ${request.power} for ${request.margin} takes more than ${MOST_SIMULATED} samples${why}. ${advice}`,
    );
  let last = protocol;
  const look = async (count: number) => {
    onNotice?.(`Looking at how ${count} samples hang together.`);
    last = await at(count);
  };
  /**
   * Refuses a number of samples that is out of reach, by the clusters of the data seen last, or where these are too few, by those of as many
   * samples as there may be.
   */
  const expectReachable = async (needed: number) => {
    if (needed > MOST_SIMULATED) throw beyond('');
    if (samplesWorth(needed, sharingOf(drawnClusters(last.depending)), pilot) <= MOST_SIMULATED) return;
    if (last.configuration.samples < MOST_SIMULATED) await look(MOST_SIMULATED);
    const clusters = drawnClusters(last.depending);
    const there = last.configuration.samples;
    const worth = worthOf(there, sharingOf(clusters), pilot);
    if (worth >= needed) return;
    const reachable = request.margin * Math.sqrt(needed / Math.max(1, worth));
    throw beyond(
      `: the data have ${clusters.length} clusters of samples that are as alike as the pilot’s (intraclass correlation ${pilot.icc.toFixed(2)}), so that ${there} of its samples are worth ${worth}, and ${needed} or more are needed. With that power they tell a margin of about ${reachable.toPrecision(2)}`,
    );
  };
  await expectReachable(approximateSamples(request));
  const { found, simulated } = await samplesForPower(request, onSimulated);
  if (!found) throw beyond('');
  await expectReachable(found.samples);
  for (let count = found.samples; ; count++) {
    const sharing = sharingOf(drawnClusters(last.depending));
    count = Math.max(count, Math.min(MOST_SIMULATED, samplesWorth(found.samples, sharing, pilot)));
    await look(count);
    const there = last.configuration.samples;
    if (there < count) {
      throw new DkvError(
        'INPUT_INVALID',
        `${count} samples are needed, and beside the pilot’s the data have ${there}. ${advice}`,
      );
    }
    const known = worthOf(count, sharingOf(drawnClusters(last.depending)), pilot);
    if (known >= found.samples) return { planned: last, simulated };
    if (count === MOST_SIMULATED) {
      throw beyond(
        `: in clusters as alike as the pilot’s ${count} are worth ${known}, and ${found.samples} are needed`,
      );
    }
  }
}

/**
 * Checks that the pilot is of the same question, the same model and the same samples. Ids may say where a sample stands and not what it is: that the samples with the
 * pilot's ids are the pilot's is seen from the digest of their texts.
 * @throws DkvError INPUT_INVALID
 */
async function expectOwnPilot(
  pilot: FinishedRun,
  test: PlannedTest,
  open: (count: number, leftOut: readonly string[]) => Promise<Dataset | PoolSet>,
  configured: (data: Dataset | PoolSet) => Configuration,
): Promise<void> {
  const { samples, dataset } = pilot.summary.configuration;
  const again = await open(samples, pilot.record.plan?.locked.pilot?.samples ?? []);
  expectSubject(pilot, configured(again), test);
  if (again.digest === dataset.digest) return;
  throw new DkvError(
    'INPUT_INVALID',
    `The pilot is of other samples: its ${samples} have the digest ${dataset.digest}, and the first ${samples} of the planned data ${again.digest}, so that leaving out its ids would not leave out its samples. Make a pilot of the same data, with the same experiment and the same seed.`,
  );
}

/**
 * Checks that the pilot is of the same question, model and data.
 * @throws DkvError INPUT_INVALID
 */
function expectSubject({ summary }: FinishedRun, now: Configuration, test: PlannedTest): void {
  const { configuration: pilot } = summary;
  if (pilot.imported) {
    throw new DkvError(
      'INPUT_INVALID',
      'The pilot was imported: its numbers are not this program’s, and its samples cannot be left out. Make one with "dkv run --n".',
    );
  }
  const factsOf = ({
    experiment,
    dataset,
    model,
    max_tokens,
    seed,
  }: Configuration): Readonly<Record<string, unknown>> => ({
    'data set': dataset.name,
    'data set’s revision': dataset.revision,
    seed,
    'model’s fingerprint': model.fingerprint,
    'prompt of the decoder': experiment.prompt,
    'number of tokens that the encoder reads': max_tokens,
    ...Object.fromEntries(
      [test.treatment, test.baseline].map((name) => [
        `condition ${name}`,
        experiment.conditions.find((condition) => condition.name === name) ?? 'not there',
      ]),
    ),
  });
  const [before, is] = [factsOf(pilot), factsOf(now)];
  const other = Object.keys(is).find((what) => JSON.stringify(before[what]) !== JSON.stringify(is[what]));
  if (other === undefined) return;
  throw new DkvError(
    'INPUT_INVALID',
    `The pilot is of something else: its ${other} is ${JSON.stringify(before[other])}, not ${JSON.stringify(is[other])}. Make a pilot of what is planned, with fewer samples.`,
  );
}
