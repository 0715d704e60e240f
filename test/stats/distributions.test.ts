/** The normal distribution and Student's t against mpmath (tools/reference/make_distribution_fixtures.py). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normalQuantile, normalTail, tQuantile, tTail } from '../../src/stats/distributions.js';

interface Fixture {
  readonly normal: readonly {
    readonly z: number;
    readonly tail: number;
    readonly p?: number;
    readonly quantile?: number;
  }[];
  readonly student: readonly {
    readonly freedom: number;
    readonly t: number;
    readonly tail: number;
    readonly p: number;
    readonly quantile: number;
  }[];
}

/** Of mpmath's 50 digits. */
const RELATIVE = 1e-11;

function expectEqual(found: number, right: number, what: string): void {
  expect(Math.abs(found - right), `${what}: ${found}, right is ${right}`).toBeLessThanOrEqual(
    RELATIVE * Math.abs(right),
  );
}

const { normal, student } = JSON.parse(
  readFileSync(new URL('../fixtures/stats/distributions.json', import.meta.url), 'utf8'),
) as Fixture;

describe('distributions', () => {
  it('has the normal distribution’s tails down to 1e-300, and its quantiles', () => {
    expect(normal.length).toBeGreaterThan(20);
    for (const { z, tail, p, quantile } of normal) {
      expectEqual(normalTail(z), tail, `tail of ${z}`);
      expect(normalTail(-z)).toBe(z === 0 ? 0.5 : 1 - normalTail(z));
      if (p === undefined || quantile === undefined) continue;
      expectEqual(normalQuantile(p), -quantile, `quantile of ${p}`);
      if (p > 1e-6) expectEqual(normalQuantile(1 - p), quantile, `quantile of 1 - ${p}`);
    }
  });

  it('has Student’s t’s, also for degrees of freedom that are not whole', () => {
    expect(student.length).toBeGreaterThan(180);
    for (const { freedom, t, tail, p, quantile } of student) {
      expectEqual(tTail(t, freedom), tail, `tail of ${t}, ${freedom} degrees`);
      expectEqual(tQuantile(p, freedom), -quantile, `quantile of ${p}, ${freedom} degrees`);
    }
  });

  it('has their ends, and no number where there is none', () => {
    expect([tTail(0, 5), tTail(Number.POSITIVE_INFINITY, 5), tTail(Number.NEGATIVE_INFINITY, 5)]).toEqual([0.5, 0, 1]);
    expect([normalTail(Number.POSITIVE_INFINITY), normalTail(Number.NEGATIVE_INFINITY)]).toEqual([0, 1]);
    expect([normalQuantile(0), normalQuantile(0.5), normalQuantile(1)]).toEqual([-Infinity, 0, Infinity]);
    expect(tQuantile(0.5, 3)).toBe(0);
    expect(tTail(1.96, Number.POSITIVE_INFINITY)).toBe(normalTail(1.96));
    // Of the Cauchy distribution the tail is 1 / (pi t), beyond where t² is a number.
    expectEqual(tTail(1e200, 1), 1 / (Math.PI * 1e200), 'Cauchy');
    for (const wrong of [
      normalTail(Number.NaN),
      tTail(Number.NaN, 3),
      tTail(1, 0),
      tTail(1, Number.NaN),
      normalQuantile(1.5),
      tQuantile(-0.1, 3),
      tQuantile(0.3, -1),
    ])
      expect(wrong).toBeNaN();
  });
});
