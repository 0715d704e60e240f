/** The difference of two estimates of which no more is known than their intervals. */
import type { Estimate } from './gains.js';

/**
 * a - b with an interval from those of both, taken as independent (the method of variance estimates recovered: Zou and Donner 2008, Statistics in Medicine
 * 27, 1693-1702). Where the two are of the same samples and go together, the interval is too wide. Without an interval where either has none.
 */
export function differenceOf(a: Estimate, b: Estimate): Estimate {
  if (a.value === null || b.value === null) return { value: null, low: null, high: null };
  const value = a.value - b.value;
  if (a.low === null || a.high === null || b.low === null || b.high === null) return { value, low: null, high: null };
  return {
    value,
    low: value - Math.hypot(a.value - a.low, b.high - b.value),
    high: value + Math.hypot(a.high - a.value, b.value - b.low),
  };
}
