/** Least squares with coefficients that are not negative. */

/** The largest correlation of the residual with any column at which the fit ends. */
const ENOUGH = 1e-10;

/**
 * Solves the problem by the active sets of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23). It minimises by orthogonal columns
 * and not by normal equations, so that columns may hardly differ.
 * @param columns of one length
 * @param wanted as long
 * @returns for each column its coefficient, 0 or more, such that the sum of the columns times these is as near to `wanted` as can be
 */
export function nonnegativeLeastSquares(columns: readonly Float64Array[], wanted: Float64Array): Float64Array {
  const found = new Float64Array(columns.length);
  const lengths = columns.map((column) => Math.sqrt(dot(column, column)));
  const isActive = new Uint8Array(columns.length);
  let active: number[] = [];
  // Every turn makes the sum of squares smaller but for rounding, which the bound is for.
  for (let turn = 0; turn < 10 * wanted.length && active.length < wanted.length; turn++) {
    const rest = wanted.slice();
    for (const a of active) subtract(rest, columns[a]!, found[a]!);
    let [best, most] = [-1, ENOUGH];
    for (let c = 0; c < columns.length; c++) {
      if (isActive[c]) continue;
      const slope = dot(columns[c]!, rest) / lengths[c]!;
      if (slope > most) [best, most] = [c, slope];
    }
    if (best < 0) break;
    active.push(best);
    isActive[best] = 1;
    for (;;) {
      const own = leastSquares(
        active.map((a) => columns[a]!),
        wanted,
      );
      // As far towards it as no coefficient turns negative; those that have got to 0 are let go.
      const steps = active.map((a, i) => (own[i]! > 0 ? 1 : found[a]! / (found[a]! - own[i]!) || 0));
      const step = Math.min(...steps);
      if (step === 1) {
        for (const [i, a] of active.entries()) found[a] = own[i]!;
        break;
      }
      for (const [i, a] of active.entries()) {
        found[a] = steps[i] === step ? 0 : found[a]! + step * (own[i]! - found[a]!);
        if (steps[i] === step) isActive[a] = 0;
      }
      active = active.filter((a) => isActive[a]);
    }
  }
  return found;
}

/** Least squares by Gram's and Schmidt's orthogonal columns, each made orthogonal twice. A column that depends on those before it gets 0. */
function leastSquares(columns: readonly Float64Array[], wanted: Float64Array): Float64Array {
  const count = columns.length;
  const basis: Float64Array[] = [];
  // Column after column of the triangle that the basis is multiplied with.
  const triangle = new Float64Array(count * count);
  for (let k = 0; k < count; k++) {
    const own = columns[k]!.slice();
    const before = Math.sqrt(dot(own, own));
    for (let twice = 0; twice < 2; twice++) {
      for (let j = 0; j < k; j++) {
        const part = dot(basis[j]!, own);
        triangle[k * count + j]! += part;
        subtract(own, basis[j]!, part);
      }
    }
    const length = Math.sqrt(dot(own, own));
    const isNew = length > 1e-13 * before;
    triangle[k * count + k] = isNew ? length : Number.POSITIVE_INFINITY;
    for (let i = 0; i < own.length; i++) own[i] = isNew ? own[i]! / length : 0;
    basis.push(own);
  }
  const found = Float64Array.from(basis, (direction) => dot(direction, wanted));
  for (let k = count - 1; k >= 0; k--) {
    for (let j = k + 1; j < count; j++) found[k]! -= triangle[j * count + k]! * found[j]!;
    found[k]! /= triangle[k * count + k]!;
  }
  return found;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Subtracts `times` a column. */
function subtract(from: Float64Array, column: Float64Array, times: number): void {
  for (let i = 0; i < from.length; i++) from[i]! -= times * column[i]!;
}
