/** Isotonic regression: the non-decreasing function that is nearest to the data in least squares. */
import { expectFiniteNumbers } from '../base/finite.js';

/** A piecewise linear function through (x, y), x ascending; constant beyond its ends. */
export interface Isotonic {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

interface Block {
  first: number;
  last: number;
  sum: number;
  weight: number;
}

/**
 * Fits the function by pooling adjacent violators (Barlow et al. 1972). Equal values of x count as one point with the mean of their y.
 * @param x at least one value
 * @param y as many
 */
export function fitIsotonic(x: ArrayLike<number>, y: ArrayLike<number>): Isotonic {
  expectFiniteNumbers(x, 'x of an isotonic regression');
  expectFiniteNumbers(y, 'y of an isotonic regression');
  const order = Array.from(x, (_, i) => i).sort((a, b) => x[a]! - x[b]!);
  const points: Block[] = [];
  for (const i of order) {
    const last = points.at(-1);
    if (last?.first === x[i]!) {
      last.sum += y[i]!;
      last.weight++;
    } else points.push({ first: x[i]!, last: x[i]!, sum: y[i]!, weight: 1 });
  }
  const blocks: Block[] = [];
  for (const point of points) {
    let block = point;
    for (let before = blocks.at(-1); before && meanOf(before) >= meanOf(block); before = blocks.at(-1)) {
      blocks.pop();
      block = {
        first: before.first,
        last: block.last,
        sum: before.sum + block.sum,
        weight: before.weight + block.weight,
      };
    }
    blocks.push(block);
  }
  const ends = blocks.flatMap((block) => {
    const y = meanOf(block);
    return block.first === block.last
      ? [[block.first, y] as const]
      : [[block.first, y] as const, [block.last, y] as const];
  });
  return { x: ends.map(([x]) => x), y: ends.map(([, y]) => y) };
}

/** The function's value at x. */
export function isotonicAt({ x: xs, y: ys }: Isotonic, x: number): number {
  let [low, high] = [0, xs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle]! < x) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return ys[0]!;
  if (low === xs.length) return ys.at(-1)!;
  const [left, right] = [xs[low - 1]!, xs[low]!];
  return ys[low - 1]! + ((x - left) / (right - left)) * (ys[low]! - ys[low - 1]!);
}

function meanOf({ sum, weight }: Block): number {
  return sum / weight;
}
