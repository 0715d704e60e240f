import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { sampleToken } from '../../src/engine/sampling.js';

const PROBABILITIES = [0.05, 0.4, 0.15, 0.3, 0.1];
const logits = Float32Array.from(PROBABILITIES, (p) => Math.log(p) + 3);
const LARGEST = Math.log(0.4) + 3;

function frequencies(sampling: { temperature: number; topP: number }, draws = 40_000): number[] {
  const random = new Random('sampling');
  const counts = PROBABILITIES.map(() => 0);
  for (let i = 0; i < draws; i++) counts[sampleToken(logits, LARGEST, { ...sampling, seed: 0 }, random)]! += 1 / draws;
  return counts;
}

const expectClose = (found: number[], wanted: number[]) => {
  for (const [i, share] of wanted.entries()) expect(Math.abs(found[i]! - share)).toBeLessThan(0.015);
};

describe('choosing a token', () => {
  it('draws by probability at temperature 1', () => {
    expectClose(frequencies({ temperature: 1, topP: 1 }), PROBABILITIES);
  });

  it('sharpens at a low temperature', () => {
    const squared = PROBABILITIES.map((p) => p * p);
    const total = squared.reduce((a, b) => a + b, 0);
    expectClose(
      frequencies({ temperature: 0.5, topP: 1 }),
      squared.map((p) => p / total),
    );
  });

  it('keeps the smallest set that reaches topP, renormalised', () => {
    expectClose(frequencies({ temperature: 1, topP: 0.6 }), [0, 4 / 7, 0, 3 / 7, 0]);
    expectClose(frequencies({ temperature: 1, topP: 0.39 }), [0, 1, 0, 0, 0]);
    expectClose(frequencies({ temperature: 1, topP: 0.9 }), [0, 0.4 / 0.95, 0.15 / 0.95, 0.3 / 0.95, 0.1 / 0.95]);
  });
});
