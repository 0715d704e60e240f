/** Descriptive statistics. Every function takes a non-empty list and leaves it as it is. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n - 1 in the denominator); NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Quantile by linear interpolation between order statistics (numpy's default). @param q in [0, 1] */
export function quantile(values: readonly number[], q: number): number {
  return sortedQuantile(sorted(values), q);
}

/** The same for values already in ascending order. */
export function sortedQuantile(ascending: readonly number[] | Float64Array, q: number): number {
  const at = q * (ascending.length - 1);
  const low = Math.floor(at);
  const high = Math.min(low + 1, ascending.length - 1);
  return ascending[low]! + (at - low) * (ascending[high]! - ascending[low]!);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Mean without the lowest and the highest `share` of the values, rounded down (scipy's trim_mean). */
export function trimmedMean(values: readonly number[], share: number): number {
  const cut = Math.floor(share * values.length);
  return mean(sorted(values).slice(cut, values.length - cut));
}

/** Cohen's d of paired differences: mean / standard deviation; NaN when all are equal. */
export function cohensD(differences: readonly number[]): number {
  const deviation = standardDeviation(differences);
  return deviation > 0 ? mean(differences) / deviation : Number.NaN;
}

/** Pearson's correlation coefficient; NaN when one list is constant. */
export function pearson(x: readonly number[], y: readonly number[]): number {
  const [centerX, centerY] = [mean(x), mean(y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (let i = 0; i < x.length; i++) {
    const [dx, dy] = [x[i]! - centerX, y[i]! - centerY];
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Number.NaN;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
