/** Calibrations: kept by exactly what they are for, and how reliable they are. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { Random } from '../../src/base/random.js';
import {
  calibrate,
  type Judged,
  readCalibration,
  relevanceOf,
  reliabilityOf,
  type Scoring,
  writeCalibration,
} from '../../src/serving/calibration.js';
import type { Provenance } from '../../src/serving/provenance.js';
import { mean } from '../../src/stats/describe.js';
import { openStore } from '../../src/store/open.js';

const PRIMED: Provenance = {
  model: 'tiny',
  fingerprint: 'a'.repeat(64),
  modelPrecision: 'float32',
  statesPrecision: 'float16',
  visibility: 'exact',
  maxTokens: 2048,
};
const SCORING: Scoring = { variant: 'bare', objective: 'query-likelihood', references: null };

/** Candidates whose chance of being relevant is a known function of the score. */
function judged(queries: number, chance: (score: number) => number): Judged[][] {
  const random = new Random('judged', queries);
  return Array.from({ length: queries }, () =>
    Array.from({ length: 10 }, () => {
      const score = -5 * random.float();
      return { score, relevant: random.chance(chance(score)) };
    }),
  );
}

describe('calibration', () => {
  it('finds probabilities that the scores have', () => {
    const chance = (score: number) => 1 / (1 + Math.exp(-3 * (score + 2.5)));
    const calibration = calibrate(judged(800, chance));
    expect(calibration).toMatchObject({ queries: 800, documents: 8000 });
    const errors = Array.from({ length: 50 }, (_, i) => -i / 10).map((score) =>
      Math.abs(relevanceOf(calibration, score) - chance(score)),
    );
    expect(mean(errors)).toBeLessThan(0.03);
    expect(Math.max(...errors)).toBeLessThan(0.12);
    const random = new Random('test');
    const { relevant, brier } = reliabilityOf(judged(800, chance), random);
    expect(relevant).toBeCloseTo(0.5, 1);
    expect(brier!.constant).toBeCloseTo(0.25, 2);
    expect(brier!.calibrated).toBeLessThan(0.5 * brier!.constant);
    expect(brier!.calibrated).toBeLessThan(brier!.raw);
  });

  it('promises nothing where scores say nothing', () => {
    const { brier } = reliabilityOf(
      judged(100, () => 0.2),
      new Random('test'),
    );
    expect(brier!.calibrated).toBeGreaterThan(0.97 * brier!.constant);
    expect(
      reliabilityOf(
        judged(1, () => 0.2),
        new Random('test'),
      ).brier,
    ).toBeNull();
  });

  it('looks at queries that were not fitted', () => {
    // Ten queries of noise: whoever looks at what was fitted finds structure in it, and elsewhere there is none.
    for (const seed of [1, 2, 3]) {
      const { brier } = reliabilityOf(
        judged(10, () => 0.2),
        new Random('folds', seed),
      );
      expect(brier!.calibrated).toBeGreaterThan(brier!.constant);
    }
  });

  it('is found by what it was made for, and by nothing else', async () => {
    const store = await openStore('memory:');
    onTestFinished(() => store.close());
    expect(await readCalibration(store, PRIMED, SCORING)).toBeUndefined();
    const calibration = calibrate(judged(5, () => 0.5));
    const other = calibrate(judged(9, () => 0.5));
    await writeCalibration(store, PRIMED, SCORING, calibration);
    await writeCalibration(store, PRIMED, { ...SCORING, variant: 'doc_kw' }, other);
    expect(await readCalibration(store, { ...PRIMED, model: 'the same, elsewhere' }, SCORING)).toEqual(calibration);
    expect(await readCalibration(store, PRIMED, { ...SCORING, variant: 'doc_kw' })).toEqual(other);
    await writeCalibration(store, PRIMED, SCORING, other);
    expect(await readCalibration(store, PRIMED, SCORING)).toEqual(other);
    for (const change of [
      { fingerprint: 'b'.repeat(64) },
      { modelPrecision: 'bfloat16' },
      { statesPrecision: 'int8' },
      { visibility: ['document'] },
      { maxTokens: 512 },
    ] satisfies Partial<Provenance>[]) {
      expect(await readCalibration(store, { ...PRIMED, ...change }, SCORING)).toBeUndefined();
    }
    for (const change of [
      { variant: 'x' },
      { references: 'e'.repeat(64) },
      { objective: 'answer-likelihood' },
    ] as const) {
      expect(await readCalibration(store, PRIMED, { ...SCORING, ...change })).toBeUndefined();
    }
    // The key, as stores of earlier versions have it.
    const key = `["${'a'.repeat(64)}","float32","float16","exact",2048,"bare","query-likelihood",null]`;
    expect(Object.keys((await store.note('calibration'))!)[0]).toBe(key);
    await store.putNote('calibration', { [JSON.stringify('x')]: { x: [], y: [] } });
    await expect(readCalibration(store, PRIMED, SCORING)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });
});
