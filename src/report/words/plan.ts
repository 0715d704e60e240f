/** Plans in sentences: what was planned, and what came of it. */
import { describeDeviation } from '../../runs/deviations.js';
import {
  type EarlyEnds,
  type LockedPlan,
  NATS,
  type PlannedTest,
  type PlanOutcome,
} from '../../runs/schema/locked-plan.js';
import type { Estimate } from '../../stats/gains.js';
import { powerInterval, type SimulatedPower } from '../../stats/power.js';
import { fixed, pValue, signed, withInterval } from './format.js';

/** The plan in sentences, one for each fact. */
export function describePlan({
  made_at,
  sha256,
  test,
  configuration,
  exclusions,
  clusters,
  code,
  ...plan
}: LockedPlan): string[] {
  const { experiment, samples, dataset, model } = configuration;
  const things = experiment.unit === 'pool' ? 'pools' : 'samples';
  const protocol = experiment.protocol.samples;
  return [
    `Made ${made_at}, locked by SHA-256 ${sha256}. That the plan is older than the trials is shown by a copy of this digest that others hold, not by the file.`,
    `Test: ${describeTest(test)}.`,
    `${samples} ${things}${samples < protocol ? `, fewer than the ${protocol} of the protocol` : ''}, in ${clusters.number} clusters by ${clusters.by}, the largest of ${clusters.largest}.`,
    ...(plan.pilot ? [describePilot(plan.pilot, samples), ...smallPilot(plan.pilot)] : []),
    `A sample is rejected by these rules and no others: ${exclusions.join('; ')}.`,
    earlyEnds(plan.early_ends),
    `Data: ${dataset.name} ${dataset.revision}, digest ${dataset.digest}. Model: ${model.name}, fingerprint ${model.fingerprint}. Program: ${code.version}, digest ${code.digest}.`,
  ];
}

function earlyEnds(ends: EarlyEnds): string {
  const words = {
    ceiling: 'the model needs no help on the first samples',
    floor: 'it hardly ranks the first pools better than chance',
  };
  if (ends.length === 0) return 'The run ends nowhere before it has all.';
  return `The run ends before it has all only where ${ends.map((end) => words[end]).join(', or ')}.`;
}

function describeTest({ treatment, baseline, measure, hypothesis, margin }: PlannedTest): string {
  const of = `${treatment} against ${baseline}, mean in ${measure}`;
  return hypothesis === 'difference'
    ? `${of}, is it different from 0 (two-sided, 5%); the smallest difference of interest is ${margin}`
    : `${of}, is it shown to lie within ±${margin} (two one-sided tests, 5%)`;
}

type Pilot = NonNullable<LockedPlan['pilot']>;

function describePilot(pilot: Pilot, samples: number): string {
  const { clusters, mean, standard_deviation, standard_deviation_interval, power, simulations, simulated, worth } =
    pilot;
  const reached = simulated.findLast((one) => one.samples <= worth) ?? simulated[0];
  const alike =
    worth < samples
      ? `; in clusters as large as those of the planned data ${samples} are worth ${worth} of the pilot’s`
      : '';
  const deviation = withInterval({ value: standard_deviation, ...standard_deviation_interval }, (x) => fixed(x, 3));
  const found = reached
    ? `${reached.samples} samples had a power of ${describePower(reached, simulations)} in ${simulations} simulated runs, `
    : '';
  return `From a pilot of ${pilot.samples.length} samples in ${clusters} clusters, which are left out here (mean ${signed(mean, 3)}, standard deviation ${deviation}, with 95%): ${found}${power} was asked for${alike}. The number goes with the square of the standard deviation: at the ends of its interval it would be ${ofDeviation(pilot)} in place of ${worth}.`;
}

/** A simulated power, with its 95% interval. */
export function describePower(simulated: SimulatedPower, simulations: number): string {
  return withInterval({ value: simulated.power, ...powerInterval(simulated, simulations) }, (x) => fixed(x, 2));
}

function ofDeviation({ standard_deviation: now, standard_deviation_interval, worth }: Pilot): string {
  const { low, high } = standard_deviation_interval;
  const at = (deviation: number) => Math.ceil(worth * (deviation / now) ** 2);
  return `${at(low)} and ${at(high)}`;
}

/** Fewer samples or clusters say little of how much differences vary. */
const SMALL = { samples: 60, clusters: 20 };

function smallPilot({ samples, clusters }: Pilot): string[] {
  if (samples.length >= SMALL.samples && clusters >= SMALL.clusters) return [];
  return [
    `The pilot is small, ${samples.length} samples in ${clusters} clusters: it may hold none of the few large differences that most of the variance comes from, so that many more samples may be needed than it says. Take ${SMALL.samples} samples or more, in ${SMALL.clusters} clusters or more, and a power of .9.`,
  ];
}

/** What the planned test found, in a sentence. */
export function describeOutcome({ test, mean, p, deviations }: PlanOutcome): string {
  const found = `mean ${withInterval(mean, (x) => signed(x, 3))}${test.measure === NATS ? ' nats per token' : ` in ${test.measure}`}, p ${pValue(p)}`;
  if (p === null) return `The planned test could not be made: ${found}.`;
  const made = deviations.length > 0 ? 'The planned test, in a run that is not as planned' : 'The planned test';
  const shown = p <= 0.05;
  if (test.hypothesis === 'equivalence') {
    return `${made}: ${found}; the mean is ${shown ? '' : 'not '}shown to lie within ±${test.margin}.`;
  }
  return `${made}: ${found}; the mean is ${shown ? '' : 'not '}told from 0. ${ofInterest(mean, test.margin)}`;
}

/** Words for how the interval stands to the smallest difference of interest. */
function ofInterest({ low, high }: Estimate, margin: number): string {
  const interest = `the smallest difference of interest, ${margin}`;
  if (low === null || high === null) return '';
  if (low >= margin) return `Its interval lies above ${interest}.`;
  if (high < margin && low > -margin)
    return `Its interval lies below ${interest}: if there is a difference, it is a smaller one.`;
  if (high <= -margin) return `Its interval lies beyond ${interest}, in the other direction.`;
  return `Its interval does not decide whether the difference is as large as ${interest}.`;
}

/** A sentence on whether the run came out as planned. Deviations are listed below it. */
export function describeConformity({ deviations }: PlanOutcome): string {
  if (deviations.length === 0) return 'As planned: nothing deviates from the plan.';
  return `Not as planned in ${deviations.length} ${deviations.length === 1 ? 'point' : 'points'}:`;
}

/** The deviations from the plan, one sentence each. */
export function describeDeviations({ deviations }: PlanOutcome): string[] {
  return deviations.map((deviation) => `${describeDeviation(deviation)}.`);
}

/** What a run under a plan came to, in lines: what is not as planned before what the test found. */
export function describeConduct(outcome: PlanOutcome): string[] {
  return [...describeDeviations(outcome).map((line) => `Not as planned: ${line}`), describeOutcome(outcome)];
}
