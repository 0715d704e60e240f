import { describe, expect, it } from 'vitest';
import { BackOff } from '../../src/hosts/back-off.js';

describe('the wait before another process is started', () => {
  it('doubles from one that ends soon to the next, up to the longest', () => {
    const backOff = new BackOff();
    const waits = Array.from({ length: 12 }, () => backOff.waitAfter(50));
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000]);
    expect(backOff.endedSoon).toBe(12);
  });

  it('is none after one that has worked for a while, and begins anew', () => {
    const backOff = new BackOff({ firstMs: 10, longestMs: 1000, soundMs: 500 });
    expect([0, 499, 500, 20].map((livedMs) => backOff.waitAfter(livedMs))).toEqual([10, 20, 0, 10]);
    expect(backOff.endedSoon).toBe(1);
  });
});
