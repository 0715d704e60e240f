/** Power by simulation against what is known: the normal approximation on independent data, and what clusters cost. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { independent, partitionBy } from '../../src/stats/dependence.js';
import { mean, standardDeviation } from '../../src/stats/describe.js';
import {
  designEffect,
  detectableD,
  deviationInterval,
  isUsablePilot,
  type PowerRequest,
  powerInterval,
  samplesForEquivalence,
  samplesForPower,
  samplesWorth,
  sharingOf,
  simulatedPower,
  worthOf,
} from '../../src/stats/power.js';

/** Normal values with mean 0 and standard deviation 1, to the last bit: what the pilot's mean is does not matter. */
function normal(count: number): number[] {
  const random = new Random('pilot');
  const drawn = Array.from(
    { length: count },
    () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float()),
  );
  const [center, deviation] = [mean(drawn), standardDeviation(drawn)];
  return drawn.map((value) => (value - center) / deviation);
}

const PILOT = normal(80);
const request = (own: Partial<PowerRequest> = {}): PowerRequest => ({
  differences: PILOT,
  clusters: independent(PILOT.length).clusters,
  hypothesis: 'difference',
  margin: 0.5,
  power: 0.8,
  randomOf: (name, run) => new Random(name, 42, run),
  ...own,
});

/** Three standard errors of a share of 500. */
const CLOSE = 0.06;

describe('simulated power', () => {
  it('is that of the t-test where samples are independent', async () => {
    // detectableD: with 32 samples d of .5 is found with a power of .8, by the normal approximation.
    expect(detectableD(32)).toBeCloseTo(0.495, 2);
    expect(Math.abs((await simulatedPower(request(), 33)).power - 0.8)).toBeLessThan(CLOSE);
    expect((await simulatedPower(request({ margin: 1e-9 }), 33)).power).toBeLessThan(0.025 + 0.03);
  });

  it('is that of two one-sided tests for equivalence', async () => {
    const count = samplesForEquivalence(0.5);
    expect(Math.abs((await simulatedPower(request({ hypothesis: 'equivalence' }), count)).power - 0.8)).toBeLessThan(
      CLOSE,
    );
  });

  it('does not depend on the mean or the unit of the pilot', async () => {
    const shifted = request({ differences: PILOT.map((value) => 100 * value + 7000), margin: 50 });
    expect(await simulatedPower(shifted, 33)).toEqual(await simulatedPower(request(), 33));
  });

  it('is what fewer samples have where those of a cluster are copies', async () => {
    const copied = PILOT.flatMap((value) => [value, value, value]);
    const clusters = partitionBy(copied.map((_, at) => Math.floor(at / 3)));
    const { power } = await simulatedPower(request({ differences: copied, clusters }), 99);
    expect(Math.abs(power - 0.8)).toBeLessThan(CLOSE);
  });

  it('finds the smallest number of samples', async () => {
    const simulated: number[] = [];
    const { found, simulated: all } = await samplesForPower(request({ simulations: 200 }), ({ samples }) =>
      simulated.push(samples),
    );
    expect(found!.power).toBeGreaterThanOrEqual(0.8);
    expect(Math.abs(found!.samples - 33)).toBeLessThan(8);
    expect(all.map(({ samples }) => samples)).toEqual([...simulated].sort((a, b) => a - b));
    const fewer = all.filter(({ samples }) => samples < found!.samples);
    expect(fewer.at(-1)!.power).toBeLessThan(0.8);
    expect(found!.samples - fewer.at(-1)!.samples).toBe(1);
  });

  it('says where more would be needed than are simulated', async () => {
    const { found } = await samplesForPower(request({ margin: 0.001, simulations: 2 }));
    expect(found).toBeUndefined();
  });

  it('wants a pilot whose differences vary, in as many clusters as a test takes', () => {
    expect(isUsablePilot(PILOT, independent(80).clusters)).toBe(true);
    expect(isUsablePilot(PILOT.slice(0, 5), independent(5).clusters)).toBe(false);
    expect(isUsablePilot([1, 1, 1, 1, 1, 1], independent(6).clusters)).toBe(false);
  });
});

describe('the design effect', () => {
  it('is 1 + (m - 1) icc, with m weighted by the samples', () => {
    expect(
      designEffect(
        [
          [0, 1, 2],
          [3, 4, 5],
        ],
        0.5,
      ),
    ).toBe(2);
    expect(
      designEffect(
        [
          [0, 1, 2, 3],
          [4, 5],
        ],
        0.3,
      ),
    ).toBeCloseTo(1 + (20 / 6 - 1) * 0.3, 12);
    expect(designEffect([[0, 1], [2]], -0.2)).toBe(1);
    expect(designEffect([[0, 1], [2]], Number.NaN)).toBe(1);
  });
});

describe('what samples are worth in larger clusters', () => {
  const ten = partitionBy(Array.from({ length: 200 }, (_, i) => i % 10));
  const pilot = { clusters: partitionBy(Array.from({ length: 60 }, (_, i) => i % 30)), icc: 0.4 };

  it('is bounded however many there are, and reached by the fewest that suffice', () => {
    expect(sharingOf(ten)).toBeCloseTo((200 * 19) / (200 * 199), 12);
    const sharing = 0.1;
    // The pilot's design effect is 1.4; that of n samples grows with .04 n.
    expect(worthOf(1e9, sharing, pilot)).toBe(34);
    expect(samplesWorth(36, sharing, pilot)).toBe(Number.POSITIVE_INFINITY);
    const fewest = samplesWorth(30, sharing, pilot);
    expect(worthOf(fewest, sharing, pilot)).toBe(30);
    expect(worthOf(fewest - 1, sharing, pilot)).toBeLessThan(30);
  });

  it('is their number where they share no cluster, or are not alike', () => {
    expect(samplesWorth(500, 0, pilot)).toBe(500);
    for (const icc of [0, -0.2, Number.NaN]) {
      expect(worthOf(500, 0.1, { ...pilot, icc })).toBe(500);
      expect(samplesWorth(500, 0.1, { ...pilot, icc })).toBe(500);
    }
  });
});

describe('what a simulation and a pilot do not know', () => {
  it('is the interval of a share of the simulated runs', () => {
    const { low, high } = powerInterval({ samples: 40, power: 0.8 }, 500);
    expect(low).toBeCloseTo(0.763, 3);
    expect(high).toBeCloseTo(0.833, 3);
    expect(powerInterval({ samples: 40, power: 1 }, 500).low).toBeLessThan(1);
  });

  it('is how much the differences vary: of normal ones their deviation over the root of twice their number', () => {
    const { low, high } = deviationInterval(PILOT, independent(PILOT.length).clusters, new Random('deviation'));
    const half = 1.96 / Math.sqrt(2 * PILOT.length);
    expect(Math.abs(low - (1 - half))).toBeLessThan(0.05);
    expect(Math.abs(high - (1 + half))).toBeLessThan(0.05);
  });
});
