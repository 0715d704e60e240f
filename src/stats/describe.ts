/**
 * Descriptive statistics. Every function takes a non-empty list and leaves it as it is. Those that a bootstrap calls ten thousand
 * times are plain loops over anything with an index.
 */

export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** The largest difference between equal sums of these values that are added in another order. */
export function roundingOfSum(values: readonly number[]): number {
  return 1e-12 * values.reduce((sum, value) => sum + Math.abs(value), 0);
}

/** What rounding leaves of equal values, as a share of the largest of them. */
export const ROUNDED = 1e-12;

/** Tells whether values do not differ but for their last bits, in which means and differences of equal numbers may. */
export function isConstant(values: ArrayLike<number>): boolean {
  let [low, high] = [values[0]!, values[0]!];
  for (let i = 1; i < values.length; i++) {
    low = Math.min(low, values[i]!);
    high = Math.max(high, values[i]!);
  }
  return high - low <= ROUNDED * Math.max(Math.abs(low), Math.abs(high));
}

/** Sample standard deviation (n - 1 in the denominator); 0 for values that are constant, NaN for fewer than two. */
export function standardDeviation(values: ArrayLike<number>): number {
  if (values.length > 1 && isConstant(values)) return 0;
  const center = mean(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - center) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/** Quantile by linear interpolation between order statistics (numpy's default). @param q in [0, 1] */
export function quantile(values: readonly number[], q: number): number {
  return sortedQuantile(sorted(values), q);
}

/** Quantile of values that are already in ascending order. */
export function sortedQuantile(ascending: ArrayLike<number>, q: number): number {
  const at = q * (ascending.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, ascending.length - 1);
  return ascending[low]! + (at - low) * (ascending[high]! - ascending[low]!);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Distances from the mean in standard deviations; all 0 where the values do not differ. */
export function zScores(values: readonly number[]): number[] {
  if (isConstant(values)) return values.map(() => 0);
  const deviation = standardDeviation(values);
  const center = mean(values);
  return values.map((value) => (value - center) / deviation);
}

/** Cohen's d of paired differences: mean / standard deviation; NaN when all are equal. */
export function cohensD(differences: ArrayLike<number>): number {
  const deviation = standardDeviation(differences);
  return deviation > 0 ? mean(differences) / deviation : Number.NaN;
}

/** Pearson's correlation coefficient; NaN when one list is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  if (isConstant(x) || isConstant(y)) return Number.NaN;
  const [centerX, centerY] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - centerX, y[i]! - centerY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Spearman's rank correlation: Pearson's of the ranks, ties sharing their mean rank; NaN when one list is constant. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  // Ranks of values that differ in their last bits alone are orders of rounding errors.
  return isConstant(x) || isConstant(y) ? Number.NaN : pearson(ranks(x), ranks(y));
}

/** Ranks from 1 in ascending order; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => values[a]! - values[b]!);
  const found = new Array<number>(values.length);
  for (let first = 0; first < order.length; ) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let at = first; at <= last; at++) found[order[at]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return found;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
