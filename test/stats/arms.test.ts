/** Arms, shares and orders against numpy and scipy (tools/reference/make_arms_fixtures.py), and against what they should say by themselves. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { kendallTau, overlap } from '../../src/stats/agreement.js';
import { armDifference, armInterval, armMean, sampleRatio } from '../../src/stats/arms.js';
import { chiSquareTail } from '../../src/stats/distributions.js';
import { holm } from '../../src/stats/significance.js';

interface Expected {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

interface Case {
  readonly shares: Readonly<Record<string, number>>;
  readonly units: readonly { readonly arm: string; readonly rewards: readonly number[] }[];
  readonly arms: Readonly<Record<string, Expected>>;
  readonly comparisons: readonly (Expected & {
    readonly arm: string;
    readonly degrees: number;
    readonly p: number;
    readonly holm: number;
    readonly detectable: number;
    readonly units_needed: number;
    readonly bootstrap: readonly [number, number];
  })[];
  readonly sample_ratio: { readonly chi_square: number; readonly p: number };
}

const fixtures: {
  readonly cases: Readonly<Record<string, Case>>;
  readonly orders: readonly { order: number[]; tau: number; overlap: Record<string, number> }[];
  readonly chi_square: readonly [number, number, number][];
} = JSON.parse(readFileSync(new URL('../fixtures/stats/arms.json', import.meta.url), 'utf8'));

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function meanOf({ units }: Case, name: string) {
  const own = units.filter(({ arm }) => arm === name);
  return armMean({
    rewards: own.map(({ rewards }) => sum(rewards)),
    decisions: own.map(({ rewards }) => rewards.length),
  });
}

describe.each(Object.entries(fixtures.cases))('arms: %s', (name, one) => {
  const [control] = Object.keys(one.arms) as [string];

  it.each(Object.entries(one.arms))('mean and interval of %s are those of whole matrices', (arm, expected) => {
    const { value, low, high } = armInterval(meanOf(one, arm));
    for (const [found, wanted] of [
      [value, expected.value],
      [low, expected.low],
      [high, expected.high],
    ] as const) {
      expect(found).toBeCloseTo(wanted, 10);
    }
  });

  it('differences are, too, with p, degrees and units that are needed', () => {
    const found = one.comparisons.map(({ arm }) => armDifference(meanOf(one, arm), meanOf(one, control)));
    for (const [at, wanted] of one.comparisons.entries()) {
      const { value, low, high, degrees, p, detectable, unitsNeeded } = found[at]!;
      expect([value, low, high, p, detectable].map((x) => x.toPrecision(9))).toEqual(
        [wanted.value, wanted.low, wanted.high, wanted.p, wanted.detectable].map((x) => x.toPrecision(9)),
      );
      expect(degrees).toBeCloseTo(wanted.degrees, 6);
      expect(unitsNeeded(0.05)).toBe(wanted.units_needed);
    }
    for (const [at, p] of holm(found.map(({ p }) => p)).entries()) expect(p).toBeCloseTo(one.comparisons[at]!.holm, 9);
  });

  it('intervals are about as wide as a bootstrap of whole units has them', () => {
    // Of few units a bootstrap is too narrow, which is why it is not what is reported.
    const [least, most] = name === 'few units' ? [1, 2.5] : [0.9, 1.2];
    for (const { low, high, bootstrap } of one.comparisons) {
      const ratio = (high - low) / (bootstrap[1] - bootstrap[0]);
      expect(ratio).toBeGreaterThan(least);
      expect(ratio).toBeLessThan(most);
    }
  });

  it('shares are tested as scipy tests them', () => {
    const names = Object.keys(one.arms);
    const { chiSquare, p, degrees } = sampleRatio(
      names.map((arm) => meanOf(one, arm).units),
      names.map((arm) => one.shares[arm]!),
    );
    expect(degrees).toBe(names.length - 1);
    expect(chiSquare).toBeCloseTo(one.sample_ratio.chi_square, 10);
    expect(p).toBeCloseTo(one.sample_ratio.p, 10);
  });
});

describe('an arm', () => {
  it('has no interval with a single unit, and none where nothing varies', () => {
    const alone = armMean({ rewards: [3], decisions: [4] });
    expect(alone).toMatchObject({ units: 1, mean: 0.75 });
    expect(armInterval(alone).low).toBeNaN();
    const flat = armMean({ rewards: [2, 4, 6], decisions: [1, 2, 3] });
    expect(armDifference(flat, flat)).toMatchObject({ value: 0, low: Number.NaN, p: Number.NaN });
    // One that varies decides where the other does not.
    const varied = armMean({ rewards: [0, 1, 3], decisions: [1, 1, 1] });
    expect(armDifference(varied, flat).degrees).toBeCloseTo(2, 10);
  });

  it('whose unit’s decisions are one thing said many times is no more certain for it', () => {
    const units = fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 4 })), { minLength: 2 });
    fc.assert(
      fc.property(units, fc.integer({ min: 2, max: 50 }), (list, times) => {
        const once = armMean({ rewards: list.map(([r]) => r), decisions: list.map(([, n]) => n) });
        const often = armMean({ rewards: list.map(([r]) => r * times), decisions: list.map(([, n]) => n * times) });
        expect(often.mean).toBeCloseTo(once.mean, 10);
        expect(often.variance).toBeCloseTo(once.variance, 10);
        expect(often.degrees).toBeCloseTo(once.degrees, 6);
      }),
    );
  });
});

describe('the agreement of two orders', () => {
  it.each(fixtures.orders)('is scipy’s: $order.length documents', ({ order, tau, overlap: shares }) => {
    expect(kendallTau(order)).toBeCloseTo(tau, 12);
    for (const [k, share] of Object.entries(shares)) expect(overlap(order, Number(k))).toBe(share);
  });

  it('is 1 of one order, -1 of its reverse, and nothing of one document', () => {
    expect(kendallTau([1, 2, 3, 4])).toBe(1);
    expect(kendallTau([5, 4, 3, 2, 1])).toBe(-1);
    expect(kendallTau([1])).toBeUndefined();
  });
});

describe('chi-square', () => {
  it.each(fixtures.chi_square)('above %f with %i degrees is scipy’s', (x, freedom, expected) => {
    expect(Math.abs(chiSquareTail(x, freedom) / expected - 1)).toBeLessThan(1e-11);
  });

  it('is undefined without degrees, and 1 of nothing', () => {
    expect(chiSquareTail(1, 0)).toBeNaN();
    expect(chiSquareTail(0, 3)).toBe(1);
  });
});
