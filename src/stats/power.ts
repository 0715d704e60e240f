/** What a number of samples can show: normal approximations, which at 20 samples and more are off by a few percent, and simulation from recorded differences. */
import type { Random } from '../base/random.js';
import type { Partition } from './dependence.js';
import { mean, standardDeviation } from './describe.js';
import { normalQuantile } from './distributions.js';
import { bootstrap, type Interval, percentileInterval, wilsonInterval } from './interval.js';
import { areEnough, equivalenceOfMean, FEWEST_FOR_TEST, inferMeans, pOfMean } from './mean-inference.js';
import { Resamples } from './resamples.js';

const LEVEL = 0.05;

/** The smallest Cohen's d that a two-sided test at 5% finds with the given power. */
export function detectableD(samples: number, power = 0.8): number {
  return (normalQuantile(1 - LEVEL / 2) + normalQuantile(power)) / Math.sqrt(samples);
}

/** The number of samples that shows an effect of 0 to lie within `margin` (Cohen's d) of 0 by two one-sided tests at 5%. */
export function samplesForEquivalence(margin: number, power = 0.8): number {
  return Math.ceil(((normalQuantile(1 - LEVEL) + normalQuantile(1 - (1 - power) / 2)) / margin) ** 2);
}

/** The number of samples that finds an effect of `margin` (Cohen's d) by a two-sided test at 5%. */
function samplesForDifference(margin: number, power: number): number {
  return Math.ceil(((normalQuantile(1 - LEVEL / 2) + normalQuantile(power)) / margin) ** 2);
}

/**
 * The design effect: the number of samples that are worth one independent sample, by which a mean's variance grows where samples of a cluster
 * correlate (Kish 1965). It is 1 + (m - 1) icc for clusters of m samples, and at least 1.
 */
export function designEffect(clusters: Partition, icc: number): number {
  const samples = clusters.reduce((sum, { length }) => sum + length, 0);
  return designEffectOf(samples, sharingOf(clusters), icc);
}

/** The chance that two samples are of one cluster; 0 for fewer than two samples. */
export function sharingOf(clusters: Partition): number {
  const samples = clusters.reduce((sum, { length }) => sum + length, 0);
  const pairs = clusters.reduce((sum, { length }) => sum + length * (length - 1), 0);
  return samples > 1 ? pairs / (samples * (samples - 1)) : 0;
}

/**
 * The design effect for this many samples, of which two share a cluster with the probability `sharing`: their clusters have 1 + (samples - 1)
 * sharing samples each.
 */
function designEffectOf(samples: number, sharing: number, icc: number): number {
  return 1 + positive(icc) * (samples - 1) * sharing;
}

/** An intraclass correlation that is not known, or below 0, makes no sample tell less. */
const positive = (icc: number) => (icc > 0 ? icc : 0);

/** A pilot's clusters, and how alike samples of one cluster are. */
interface Alike {
  readonly clusters: Partition;
  readonly icc: number;
}

/**
 * How many samples in clusters like the pilot's know a mean as well as `samples`, of which two share a cluster with the chance `sharing`. Never more than these, and
 * however many they are, never more than a bound where the chance is above 0.
 */
export function worthOf(samples: number, sharing: number, { clusters, icc }: Alike): number {
  return Math.floor(samples * Math.min(1, designEffect(clusters, icc) / designEffectOf(samples, sharing, icc)));
}

/** The fewest samples that are worth `needed` by the same reckoning; infinite where no number is. */
export function samplesWorth(needed: number, sharing: number, { clusters, icc }: Alike): number {
  const shared = positive(icc) * sharing;
  const left = designEffect(clusters, icc) - needed * shared;
  return left > 0 ? Math.max(needed, Math.ceil((needed * (1 - shared)) / left)) : Number.POSITIVE_INFINITY;
}

/** What is to be shown, and from what the number of samples is computed. */
export interface PowerRequest {
  /** The differences that a pilot recorded. */
  readonly differences: readonly number[];
  /** The clusters of the pilot's samples, six or more. */
  readonly clusters: Partition;
  /** The hypothesis: that the mean is not 0, where it is `margin`; or that it lies within `margin`, where it is 0. */
  readonly hypothesis: 'difference' | 'equivalence';
  /** The margin in the unit of the differences, above 0. */
  readonly margin: number;
  /** The power, between 0 and 1. */
  readonly power: number;
  /** Gives random numbers by their purpose and the number of the simulated run: the same ones each time they are asked for. */
  readonly randomOf: (name: string, run: number) => Random;
  /** The number of simulated runs for each number of samples. */
  readonly simulations?: number;
  /** Called after each simulated run, whose number it is given. */
  readonly onRun?: (samples: number, done: number, simulations: number) => void | Promise<void>;
}

/** The number of simulated runs, at which a power of .8 is known to .04, at 95%. */
export const SIMULATIONS = 500;
/** The number of the bootstrap's draws in each simulated run, fewer than a run's own. */
const DRAWS = 999;
/** The largest number of samples that is simulated. */
export const MOST_SIMULATED = 5000;
/** The relative difference below which simulation cannot tell two numbers of samples apart. */
const RESOLUTION = 0.02;

export interface SimulatedPower {
  readonly samples: number;
  /** The share of the simulated runs whose test succeeds. */
  readonly power: number;
}

/**
 * The power of a number of samples, by simulation: whole clusters of the pilot are drawn with replacement until there are so many samples (the last cluster is cut),
 * the pilot's mean is taken off and the mean that is asked about put in its place, and the test of the mean is made as a run makes it.
 */
export async function simulatedPower(request: PowerRequest, samples: number): Promise<SimulatedPower> {
  const { differences, clusters, hypothesis, margin, randomOf, simulations = SIMULATIONS, onRun } = request;
  const shift = (hypothesis === 'difference' ? margin : 0) - mean(differences);
  let shown = 0;
  for (let run = 0; run < simulations; run++) {
    // Named by the run alone: more samples of it begin with those of fewer.
    const random = randomOf('power', run);
    const values = new Float64Array(samples);
    const drawn: number[][] = [];
    for (let at = 0; at < samples; ) {
      const own: number[] = [];
      for (const index of clusters[random.below(clusters.length)]!) {
        if (at === samples) break;
        values[at] = differences[index]! + shift;
        own.push(at++);
      }
      drawn.push(own);
    }
    const resamples = new Resamples(drawn, randomOf('power, draws', run), { draws: DRAWS });
    const [inference] = inferMeans([values], { clusters: drawn }, resamples);
    const p =
      hypothesis === 'equivalence'
        ? equivalenceOfMean(inference!, margin)
        : inference!.mean > 0
          ? pOfMean(inference!)
          : undefined;
    if (p !== undefined && p <= LEVEL) shown++;
    await onRun?.(samples, run + 1, simulations);
  }
  return { samples, power: shown / simulations };
}

/** 95% of a simulated power, by so many runs (Wilson). */
export function powerInterval({ power }: SimulatedPower, simulations: number): Interval {
  return wilsonInterval(power, simulations, simulations);
}

/** Draws of whole clusters that a standard deviation's interval is of. */
const DEVIATIONS = 999;

/** The standard deviation of a pilot's differences is what the number of samples follows: its 95%, by drawing whole clusters. */
export function deviationInterval(differences: readonly number[], clusters: Partition, random: Random): Interval {
  const [replicates] = bootstrap(
    clusters.length,
    (drawn) => [standardDeviation(Array.from(drawn, (c) => clusters[c]!.map((index) => differences[index]!)).flat())],
    DEVIATIONS,
    random,
  );
  return percentileInterval(replicates!)!;
}

/** The number of independent samples by the normal approximation; clusters only make it more. */
export function approximateSamples({ differences, hypothesis, margin, power }: PowerRequest): number {
  const d = margin / standardDeviation(differences);
  return hypothesis === 'difference' ? samplesForDifference(d, power) : samplesForEquivalence(d, power);
}

/**
 * The smallest number of samples with the power that is asked for, to 2%, found from the normal approximation on.
 * @returns that number, and all that was simulated in ascending order; `found` is undefined where more than `MOST_SIMULATED` are needed
 */
export async function samplesForPower(
  request: PowerRequest,
  onSimulated?: (simulated: SimulatedPower) => void,
): Promise<{ readonly found: SimulatedPower | undefined; readonly simulated: readonly SimulatedPower[] }> {
  const { power } = request;
  const tried = new Map<number, SimulatedPower>();
  const enough = async (samples: number): Promise<boolean> => {
    const known = tried.get(samples) ?? (await simulatedPower(request, samples));
    if (!tried.has(samples)) onSimulated?.(known);
    tried.set(samples, known);
    return known.power >= power;
  };
  const independent = approximateSamples(request);
  if (independent > MOST_SIMULATED) return { found: undefined, simulated: [] };
  let high = Math.min(MOST_SIMULATED, Math.max(FEWEST_FOR_TEST, independent));
  let low = 0;
  while (!(await enough(high))) {
    if (high === MOST_SIMULATED) return { found: undefined, simulated: ascending(tried) };
    low = high;
    high = Math.min(MOST_SIMULATED, Math.ceil(1.25 * high));
  }
  while (low === 0 && high > FEWEST_FOR_TEST) {
    const next = Math.max(FEWEST_FOR_TEST, Math.floor(high / 1.25));
    if (await enough(next)) high = next;
    else low = next;
  }
  while (low > 0 && high - low > Math.max(1, RESOLUTION * high)) {
    const middle = Math.ceil((low + high) / 2);
    if (await enough(middle)) high = middle;
    else low = middle;
  }
  return { found: tried.get(high)!, simulated: ascending(tried) };
}

function ascending(tried: ReadonlyMap<number, SimulatedPower>): SimulatedPower[] {
  return [...tried.values()].sort((a, b) => a.samples - b.samples);
}

/** Tells whether a pilot can show how many samples are needed: it has as many clusters as a test needs, and its differences vary. */
export function isUsablePilot(differences: readonly number[], clusters: Partition): boolean {
  return areEnough(clusters) && standardDeviation(differences) > 0;
}
