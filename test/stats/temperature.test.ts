/** NLLs between inverse temperatures, temperatures that are fitted, and gains without what these explain: against direct evaluation and answers that are known. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { independent, partitionBy } from '../../src/stats/dependence.js';
import { mean } from '../../src/stats/describe.js';
import { samplingOf } from '../../src/stats/gains.js';
import { AT_ONE, INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';
import { nonnegativeLeastSquares } from '../../src/stats/nonnegative.js';
import {
  type TemperatureOptions,
  temperatureEffect,
  temperedArm,
  temperedTokens,
} from '../../src/stats/temperature.js';
import { temperedCurve } from '../../src/stats/tempered-curve.js';

const random = new Random('temperature');
const normal = () => Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float());

/** Logits that many words share. */
interface Crowd {
  readonly logit: number;
  readonly words: number;
}

function direct(crowds: readonly Crowd[], target: number, inverse: number): number {
  const most = Math.max(...crowds.map(({ logit }) => inverse * logit));
  const sum = crowds.reduce((all, { logit, words }) => all + words * Math.exp(inverse * logit - most), 0);
  return most + Math.log(sum) - inverse * target;
}

const each = (words: number, logit: () => number): Crowd[] =>
  Array.from({ length: words }, () => ({ logit: logit(), words: 1 }));
/** One word above a crowd of equal ones, as likely as all of these together at the inverse temperature. */
const peak = (words: number, inverse: number): Crowd[] => [
  { logit: Math.log(words) / inverse, words: 1 },
  { logit: 0, words },
];

describe('NLLs between inverse temperatures', () => {
  const HARD: Record<string, Crowd[]> = {
    flat: [{ logit: 3, words: 262_144 }],
    'two words': [
      { logit: 0, words: 1 },
      { logit: -1, words: 1 },
    ],
    ...Object.fromEntries(
      [0.3, 0.5, 0.7, 0.9, 1.1, 1.4, 1.8].flatMap((inverse) =>
        [320, 32_128, 262_144].map((words) => [`peak over ${words} at ${inverse}`, peak(words, inverse)]),
      ),
    ),
    'a peak, some, and the rest': [
      { logit: 20, words: 1 },
      { logit: 12, words: 100 },
      { logit: 0, words: 262_000 },
    ],
    'far away': [
      { logit: 500, words: 1 },
      { logit: 400, words: 1 },
      { logit: 0, words: 262_000 },
    ],
    ...Object.fromEntries(
      [0.5, 1, 2, 3, 5, 8].map((spread) => [`normal ${spread}`, each(4000, () => spread * normal())]),
    ),
    'ties of whole numbers': each(4000, () => Math.round(2 * normal())),
    'under a cap': each(4000, () => 30 * Math.tanh((10 * normal()) / 30)),
    'ten above the rest': [...each(10, () => 12 + normal()), ...each(4000, () => 2 * normal())],
  };

  it.each(Object.keys(HARD))('are within 1e-3 nats of those computed there: %s', (name) => {
    const crowds = HARD[name]!;
    const vocabulary = crowds.reduce((sum, { words }) => sum + words, 0);
    const most = Math.max(...crowds.map(({ logit }) => logit));
    for (const below of [0, 5, 20]) {
      const nlls = Float32Array.from(INVERSE_TEMPERATURES, (inverse) => direct(crowds, most - below, inverse));
      const curve = temperedCurve(nlls, vocabulary);
      for (let i = 0; i <= 60; i++) {
        const inverse = 2 ** (-2 + (3 * i) / 60);
        expect(Math.abs(curve(inverse) - direct(crowds, most - below, inverse)), `${inverse}`).toBeLessThan(1e-3);
      }
    }
  });
});

describe('least squares with coefficients that are not negative', () => {
  it('find coefficients that are there', () => {
    const columns = Array.from({ length: 30 }, (_, c) =>
      Float64Array.from({ length: 8 }, (__, i) => Math.exp((-c * i) / 20)),
    );
    const wanted = columns[3]!.map((x, i) => 2 * x + 0.5 * columns[20]![i]!);
    const found = nonnegativeLeastSquares(columns, wanted);
    const made = wanted.map((_, i) => columns.reduce((sum, column, c) => sum + found[c]! * column[i]!, 0));
    for (const [i, x] of wanted.entries()) expect(made[i]).toBeCloseTo(x, 9);
  });

  it('leave nothing that a coefficient could make better', () => {
    for (let turn = 0; turn < 50; turn++) {
      const columns = Array.from({ length: 12 }, () => Float64Array.from({ length: 6 }, normal));
      const wanted = Float64Array.from({ length: 6 }, normal);
      const found = nonnegativeLeastSquares(columns, wanted);
      const rest = wanted.map((x, i) => x - columns.reduce((sum, column, c) => sum + found[c]! * column[i]!, 0));
      for (const [c, column] of columns.entries()) {
        const slope = column.reduce((sum, x, i) => sum + x * rest[i]!, 0);
        expect(found[c]).toBeGreaterThanOrEqual(0);
        expect(slope).toBeLessThan(1e-9);
        if (found[c]! > 0) expect(Math.abs(slope)).toBeLessThan(1e-9);
      }
    }
  });
});

const WORDS = 40;
/** Logits of a token and its target. */
interface Token {
  readonly logits: readonly number[];
  readonly target: number;
}

/** A token whose target is drawn at a temperature, so that this is the best one. */
function drawn(temperature: number): Token {
  const logits = Array.from({ length: WORDS }, () => 3 * normal());
  const weights = logits.map((logit) => Math.exp(logit / temperature));
  let left = random.float() * weights.reduce((a, b) => a + b);
  let target = 0;
  for (; target < WORDS - 1 && left >= weights[target]!; target++) left -= weights[target]!;
  return { logits, target };
}

function at({ logits, target }: Token, inverse: number): number {
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(inverse * logit), 0)) - inverse * logits[target]!;
}

const tempered = (samples: readonly (readonly Token[])[]) =>
  samples.map((tokens) =>
    temperedTokens(
      tokens.flatMap((token) => INVERSE_TEMPERATURES.map((inverse) => at(token, inverse))),
      WORDS,
    ),
  );
type Samples = ReturnType<typeof tempered>;
const times = (samples: readonly (readonly Token[])[], factor: number) =>
  samples.map((tokens) => tokens.map(({ logits, target }) => ({ logits: logits.map((x) => factor * x), target })));
const SAMPLES = 60;
const made = (temperature: (token: number) => number) =>
  Array.from({ length: SAMPLES }, () => [0, 1, 2].map((token) => drawn(temperature(token))));
const sampling = samplingOf(independent(SAMPLES), new Random('sampling'));

function effectOf(baseline: Samples, treatment: Samples, of = sampling, options: TemperatureOptions = {}) {
  const arm = (samples: Samples) => temperedArm(samples, of.dependence.clusters, options);
  return temperatureEffect(arm(baseline), arm(treatment), of, 0.05);
}

describe('a gain and the temperatures of its arms', () => {
  it('is calibration and no more where an arm is the other one, tempered', () => {
    const treatment = made(() => 1);
    const baseline = times(treatment, 0.6);
    for (const more of [{}, { apart: true }]) {
      const effect = effectOf(tempered(baseline), tempered(treatment), sampling, more);
      expect(Math.abs(effect.remaining.value!)).toBeLessThan(1e-3);
      expect(effect.equivalence).toBeLessThan(0.05);
      expect(effect.atOne.value).toBeGreaterThan(0.02);
      expect(effect.calibration.value! + effect.remaining.value!).toBeCloseTo(effect.atOne.value!, 10);
      for (const [kind, { value }] of effect.treatment.entries()) {
        expect(effect.baseline[kind]!.value / value).toBeCloseTo(0.6, 2);
      }
    }
  });

  it('remains where the treatment knows more', () => {
    const baseline = made(() => 1);
    const treatment = baseline.map((tokens) =>
      tokens.map(({ logits, target }) => ({ logits: logits.map((x, word) => (word === target ? x + 2 : x)), target })),
    );
    const effect = effectOf(tempered(baseline), tempered(treatment));
    expect(effect.remaining.low).toBeGreaterThan(0.2);
    expect(effect.equivalence).toBeGreaterThan(0.5);
  });

  it('has a temperature for first tokens and one for later ones where these are apart', () => {
    const treatment = made((token) => (token === 0 ? 0.7 : 1.5));
    const { treatment: found } = effectOf(tempered(treatment), tempered(treatment), sampling, { apart: true });
    expect(found[0]!.value).toBeGreaterThan(0.5);
    expect(found[0]!.value).toBeLessThan(0.9);
    expect(found[1]!.value).toBeGreaterThan(1.2);
    expect(found[1]!.value).toBeLessThan(1.9);
    for (const { low, high } of found) expect(low).toBeLessThan(high);
  });

  it.each([false, true])('scores each fold with what the others chose, by clusters; capped: %s', (capped) => {
    // Two clusters that want different temperatures: each is scored with the other's.
    const samples = Array.from({ length: 20 }, (_, s) => [drawn(s < 10 ? 0.7 : 1.6), drawn(s < 10 ? 0.7 : 1.6)]);
    const clusters = partitionBy(samples.map((_, s) => (s < 10 ? 0 : 1)));
    const of = samplingOf({ clusters }, new Random('two'));
    const flat = samples.map((tokens) => tokens.map(({ target }) => ({ logits: Array(WORDS).fill(0), target })));
    const cap = capped ? Math.log(WORDS) : Number.POSITIVE_INFINITY;
    const nll = (tokens: readonly Token[], inverse: number) =>
      mean(tokens.map((token) => Math.min(at(token, inverse), cap)));
    const inverses = Array.from({ length: 601 }, (_, i) => 2 ** (-2 + (3 * i) / 600));
    const best = (some: readonly (readonly Token[])[]) => {
      const sums = inverses.map((inverse) => some.reduce((sum, tokens) => sum + nll(tokens, inverse), 0));
      return inverses[sums.indexOf(Math.min(...sums))]!;
    };
    const [first, second] = [samples.slice(0, 10), samples.slice(10)];
    const wanted = samples.map((tokens, s) => Math.log(WORDS) - nll(tokens, best(s < 10 ? second : first)));
    const effect = effectOf(tempered(flat), tempered(samples), of, { cap });
    expect(effect.remaining.value).toBeCloseTo(mean(wanted), 3);
    expect(effect.remaining.low).toBeNull();
    expect(effect.equivalence).toBeNull();
    expect(effect.treatment[0]!.low).toBeCloseTo(1 / best(first), 1);
    expect(effect.treatment[0]!.high).toBeCloseTo(1 / best(second), 1);
    expect(effect.treatment[0]!.value).toBeCloseTo(1 / best(samples), 1);
    expect(effect.atOne.value).toBeCloseTo(mean(samples.map((tokens) => Math.log(WORDS) - nll(tokens, 1))), 10);
    expect(INVERSE_TEMPERATURES[AT_ONE]).toBe(1);
  });

  it('is refused where there is nothing to fit on', () => {
    const samples = tempered(made(() => 1).slice(0, 3));
    const one = samplingOf({ clusters: partitionBy([0, 0, 0]) }, new Random('one'));
    expect(() => effectOf(samples, samples, one)).toThrow('1 clusters');
  });

  it('is the best of several valleys of capped tokens, however near they are to each other', () => {
    const valley =
      (at: number, lowest = 0) =>
      (inverse: number) =>
        2500 * (inverse - at) ** 2 + lowest;
    // The inverse temperature 1, which a coarse search tries, lies in the shallow one.
    const [shallow, deep] = [valley(1.01), valley(0.955, -0.1)];
    const sample = [shallow, deep].map((curve) => ({ atOne: curve(1), curve }));
    const samples = Array.from({ length: 6 }, () => sample);
    const { clusters } = independent(samples.length);
    const [fitted] = temperedArm(samples, clusters, { cap: 1 }).temperatures;
    for (const temperature of [fitted!.value, fitted!.low, fitted!.high]) {
      expect(Math.abs(1 / temperature - 0.955)).toBeLessThan(1e-3);
    }
  });
});
