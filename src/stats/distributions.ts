/**
 * The normal distribution, Student's t and chi-square: tails and quantiles, relatively exact to some 1e-13 down to tails of 1e-300, where 1 minus a distribution function
 * would have lost them. Held against mpmath's 50 digits (test/stats/distributions.test.ts).
 */

/**
 * The chance of a standard normal value above `z`: its series below 2 (Abramowitz and Stegun 26.2.11), its continued fraction from there
 * (26.2.14).
 */
export function normalTail(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalTail(-z);
  const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  if (density === 0) return 0;
  if (z >= 2) {
    let fraction = z;
    for (let term = 200; term >= 1; term--) fraction = z + term / fraction;
    return density / fraction;
  }
  let [sum, term] = [z, z];
  for (let odd = 3; term > sum * Number.EPSILON; odd += 2) {
    term *= (z * z) / odd;
    sum += term;
  }
  return 0.5 - density * sum;
}

/** The value that a standard normal one is below with the chance `p`, from 0 to 1. */
export function normalQuantile(p: number): number {
  return quantile(p, normalTail, (z) => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI));
}

/**
 * The chance of a value above `t` under Student's t with `freedom` degrees of freedom, which need not be whole: half of the regularised incomplete
 * beta function I_x(freedom / 2, 1 / 2) at x = freedom / (freedom + t²), by its continued fraction (DLMF 8.17.22).
 */
export function tTail(t: number, freedom: number): number {
  if (Number.isNaN(t) || !(freedom > 0)) return Number.NaN;
  if (freedom === Number.POSITIVE_INFINITY) return normalTail(t);
  if (t < 0) return 1 - tTail(-t, freedom);
  if (t === Number.POSITIVE_INFINITY) return 0;
  const a = freedom / 2;
  const ratio = t / Math.sqrt(freedom);
  const [x, root] = [1 / (1 + ratio * ratio), ratio / Math.hypot(1, ratio)];
  // x^a (1 - x)^(1/2) / B(a, 1/2)
  const front = (Math.exp(-a * logOfOnePlusSquare(ratio)) * root * halfStep(a)) / Math.sqrt(Math.PI);
  if (x < (a + 1) / (a + 2.5)) return front / a / betaFraction(x, a, 0.5) / 2;
  return 0.5 - front / betaFraction(root * root, 0.5, a);
}

/** The value that one of Student's t with `freedom` degrees of freedom is below with the chance `p`, from 0 to 1. */
export function tQuantile(p: number, freedom: number): number {
  if (!(freedom > 0)) return Number.NaN;
  if (freedom === Number.POSITIVE_INFINITY) return normalQuantile(p);
  const scale = halfStep(freedom / 2) / Math.sqrt(Math.PI * freedom);
  const power = (freedom + 1) / 2;
  const density = (t: number) => scale * Math.exp(-power * logOfOnePlusSquare(t / Math.sqrt(freedom)));
  return quantile(p, (t) => tTail(t, freedom), density);
}

/**
 * The chance of a value above `x` under chi-square with a whole number of degrees of freedom: from one or two of them upwards in steps of two (DLMF 8.8.6).
 */
export function chiSquareTail(x: number, freedom: number): number {
  if (Number.isNaN(x) || !Number.isInteger(freedom) || freedom < 1) return Number.NaN;
  if (x <= 0) return 1;
  const half = x / 2;
  const isOdd = freedom % 2 === 1;
  let a = isOdd ? 0.5 : 1;
  let tail = isOdd ? 2 * normalTail(Math.sqrt(x)) : Math.exp(-half);
  // half^a exp(-half) / Γ(a + 1)
  let step = isOdd ? 2 * Math.sqrt(half / Math.PI) * Math.exp(-half) : half * Math.exp(-half);
  for (; a < freedom / 2; a++) {
    tail += step;
    step *= half / (a + 1);
  }
  return Math.min(1, tail);
}

/** ln(1 + r²), where r² may be beyond the largest number. */
function logOfOnePlusSquare(r: number): number {
  return Math.abs(r) > 1e8 ? 2 * Math.log(Math.abs(r)) : Math.log1p(r * r);
}

/** Γ(a + 1/2) / Γ(a): raised by Γ(a + 1) = a Γ(a) to where its asymptotic series (DLMF 5.11.13) is exact. A difference of two logarithms would not be. */
function halfStep(a: number): number {
  let [raised, product] = [a, 1];
  for (; raised < 40; raised++) product *= raised / (raised + 0.5);
  const inverse = 1 / raised;
  const series =
    1 +
    inverse *
      (-1 / 8 +
        inverse *
          (1 / 128 +
            inverse * (5 / 1024 + inverse * (-21 / 32768 + inverse * (-399 / 262144 + inverse * (869 / 4194304))))));
  return product * Math.sqrt(raised) * series;
}

/** The denominator of DLMF 8.17.22, by Lentz's method; it converges fast for x < (a + 1) / (a + b + 2). */
function betaFraction(x: number, a: number, b: number): number {
  let [value, c, d] = [1, 1, 0];
  for (let step = 1; ; step++) {
    const m = Math.floor(step / 2);
    const term =
      step % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + term * d);
    c = 1 + term / c;
    value *= c * d;
    if (Math.abs(c * d - 1) < Number.EPSILON) return value;
  }
}

/** Quantile of a distribution that is symmetric about 0, by Newton's method on the tail's logarithm, kept between two bounds. */
function quantile(p: number, tail: (x: number) => number, density: (x: number) => number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0.5) return 0;
  const sign = p < 0.5 ? -1 : 1;
  const wanted = p < 0.5 ? p : 1 - p;
  if (wanted === 0) return sign * Number.POSITIVE_INFINITY;
  let [low, high] = [0, 1];
  for (; tail(high) > wanted; high *= 2) low = high;
  let x = (low + high) / 2;
  for (let step = 0; step < 200; step++) {
    const above = tail(x);
    if (above > wanted) low = x;
    else high = x;
    const newton = x + (Math.log(above / wanted) * above) / density(x);
    const next = newton > low && newton < high ? newton : (low + high) / 2;
    if (Math.abs(next - x) <= 2 * Number.EPSILON * x) return sign * next;
    x = next;
  }
  return sign * x;
}
