/** How alike two orders of the same things are. */

/**
 * Kendall's tau between two orders without ties (Kendall 1938): 1 less twice the share of pairs that stand in other orders. Pairs are counted while merging.
 * @param places in the one order, each once, listed in the other order
 * @returns undefined for fewer than two things
 */
export function kendallTau(places: readonly number[]): number | undefined {
  const n = places.length;
  if (n < 2) return undefined;
  let [sorted, other] = [Float64Array.from(places), new Float64Array(n)];
  let inversions = 0;
  for (let width = 1; width < n; width *= 2) {
    for (let start = 0; start < n; start += 2 * width) {
      const [middle, end] = [Math.min(start + width, n), Math.min(start + 2 * width, n)];
      let [left, right] = [start, middle];
      for (let at = start; at < end; at++) {
        if (left < middle && (right >= end || sorted[left]! <= sorted[right]!)) other[at] = sorted[left++]!;
        else {
          inversions += middle - left;
          other[at] = sorted[right++]!;
        }
      }
    }
    [sorted, other] = [other, sorted];
  }
  return 1 - (4 * inversions) / (n * (n - 1));
}

/**
 * The share of the first `k` of one order that are among the first `k` of the other.
 * @param places in the one order, from 1, listed in the other order; `k` or more
 */
export function overlap(places: readonly number[], k: number): number {
  return places.slice(0, k).filter((place) => place <= k).length / k;
}
