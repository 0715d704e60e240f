/** Buckets of pairs and tokens: what is let through, what has to wait, and how long. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DkvError } from '../../src/base/errors.js';
import { Limits } from '../../src/server/limits.js';
import type { KeyLimits } from '../../src/wire/keys.js';

function limits(defaults: KeyLimits) {
  const clock = { ms: 0 };
  return { made: new Limits(defaults, () => clock.ms), clock };
}

/** The seconds that it is to wait; 0: it is let through. */
function waitOf(take: () => void): number {
  try {
    take();
    return 0;
  } catch (error) {
    expect(error).toMatchObject({ code: 'LIMIT_REACHED', status: 429 });
    return (error as DkvError).retryAfterSeconds!;
  }
}

const ONE = { keyId: 'aaaaaaaaaaaa' };

describe('limits', () => {
  it('let pairs through until the bucket is empty, and again when as many have flown in', () => {
    const { made, clock } = limits({ pairsPerMinute: 60 });
    made.take(ONE, 40);
    made.take(ONE, 20);
    expect(made.state(ONE)).toEqual({ pairs: { perMinute: 60, remaining: 0, resetSeconds: 60 } });
    expect(waitOf(() => made.take(ONE, 10))).toBe(10);
    // What was refused was not taken.
    expect(waitOf(() => made.take(ONE, 10))).toBe(10);
    clock.ms = 9_999;
    expect(waitOf(() => made.take(ONE, 10))).toBe(1);
    clock.ms = 10_000;
    made.take(ONE, 10);
    expect(waitOf(() => made.take(ONE, 1))).toBe(1);
    clock.ms = 3_600_000;
    expect(made.state(ONE).pairs).toEqual({ perMinute: 60, remaining: 60, resetSeconds: 0 });
  });

  it('count each key apart, by limits of its own where it has some', () => {
    const { made } = limits({ pairsPerMinute: 10 });
    const other = { keyId: 'bbbbbbbbbbbb', limits: { pairsPerMinute: 100 } };
    made.take(ONE, 10);
    made.take(other, 100);
    expect(waitOf(() => made.take(ONE, 10))).toBe(60);
    expect(made.state(other).pairs?.perMinute).toBe(100);
    // Its limit was raised in the file of keys: what flows in comes at the new pace.
    expect(waitOf(() => made.take({ ...ONE, limits: { pairsPerMinute: 60 } }, 10))).toBe(10);
  });

  it('let tokens make a debt, which is paid before the next request', () => {
    const { made, clock } = limits({ tokensPerMinute: 600 });
    made.take(ONE, 5);
    made.chargeTokens(ONE, 1800);
    expect(made.state(ONE)).toEqual({ tokens: { perMinute: 600, remaining: 0, resetSeconds: 180 } });
    expect(waitOf(() => made.take(ONE, 1))).toBe(120);
    clock.ms = 60_000;
    expect(waitOf(() => made.take(ONE, 1))).toBe(60);
    clock.ms = 120_000;
    made.take(ONE, 1);
  });

  it('take nothing of one bucket where the other refuses', () => {
    const { made, clock } = limits({ pairsPerMinute: 10, tokensPerMinute: 600 });
    made.chargeTokens(ONE, 700);
    expect(waitOf(() => made.take(ONE, 10))).toBe(10);
    clock.ms = 10_000;
    made.take(ONE, 10);
    made.giveBack(ONE, 4);
    expect(made.state(ONE).pairs?.remaining).toBe(4);
    made.giveBack(ONE, 100);
    expect(made.state(ONE).pairs?.remaining).toBe(10);
  });

  it('let a request larger than the bucket through when it is full, so that it does not wait for ever', () => {
    const { made, clock } = limits({ pairsPerMinute: 10 });
    made.take(ONE, 1);
    expect(waitOf(() => made.take(ONE, 30))).toBe(6);
    clock.ms = 6_000;
    made.take(ONE, 30);
    expect(waitOf(() => made.take(ONE, 1))).toBe(126);
  });

  it('do nothing where there are none', () => {
    const { made } = limits({});
    for (let i = 0; i < 100; i++) made.take(ONE, 1e9);
    made.chargeTokens(ONE, 1e12);
    expect(made.state(ONE)).toEqual({});
  });

  it('never let more through than the limit and one bucket, and let through what waited as long as was said', () => {
    const step = fc.record({ pairs: fc.integer({ min: 0, max: 50 }), ms: fc.integer({ min: 0, max: 20_000 }) });
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 1000 }), fc.array(step, { maxLength: 60 }), (perMinute, steps) => {
        const { made, clock } = limits({ pairsPerMinute: perMinute });
        let taken = 0;
        for (const { pairs, ms } of steps) {
          clock.ms += ms;
          const wait = waitOf(() => made.take(ONE, pairs));
          if (wait > 0) {
            clock.ms += wait * 1000;
            made.take(ONE, pairs);
          }
          taken += pairs;
          expect(taken).toBeLessThanOrEqual(perMinute + (clock.ms / 60_000) * perMinute + 1e-6);
        }
      }),
    );
  });
});
