/** 8-bit weights: the bytes that are stored, and how far scores are from those of the reference precision. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { generateAd } from '../../src/adworld/adworld.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { type Transform, transformed } from '../../src/model/graph/transforms.js';
import type { Visibility } from '../../src/priming/input.js';
import { scoreTexts } from '../../src/scoring/inputs.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { mean } from '../../src/stats/describe.js';
import { temporaryFolder } from '../support/fixtures.js';

async function bytesOf(transform: Transform, values: readonly number[], [rows, width]: readonly [number, number]) {
  const type = { rows: 'uint8', columns: 'int8', 'row-scales': 'float32' }[transform as string] as 'uint8';
  // In chunks of one row, which is how the parts of a large matrix come.
  async function* chunks() {
    for (let row = 0; row < rows; row++) yield Float32Array.from(values.slice(row * width, (row + 1) * width));
  }
  const parts: Uint8Array[] = [];
  for await (const part of transformed(transform, type, chunks(), [rows, width])) parts.push(part.slice());
  return Uint8Array.from(Buffer.concat(parts));
}

const matrices = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 9 })).chain(([rows, width]) =>
  fc.record({
    shape: fc.constant([rows, width] as const),
    values: fc.array(fc.float({ noNaN: true, min: -100, max: 100 }), {
      minLength: rows * width,
      maxLength: rows * width,
    }),
  }),
);

describe('8-bit matrices', () => {
  it('are at most half a step off, the same by rows and transposed', async () => {
    await fc.assert(
      fc.asyncProperty(matrices, async ({ shape: [rows, width], values }) => {
        const shape = [rows, width] as const;
        const scales = new Float32Array((await bytesOf('row-scales', values, shape)).buffer);
        const byRows = await bytesOf('rows', values, shape);
        const byColumns = new Int8Array(await bytesOf('columns', values, shape));
        for (let row = 0; row < rows; row++) {
          for (let i = 0; i < width; i++) {
            const steps = byRows[row * width + i]! - 128;
            expect(byColumns[i * rows + row]).toBe(steps);
            const error = Math.abs(steps * scales[row]! - values[row * width + i]!);
            expect(error).toBeLessThanOrEqual(Math.max(scales[row]! * 0.50001, 2 ** -100));
          }
        }
      }),
    );
  });
});

describe('int8 on the built-in model', () => {
  const conditions: { name: string; prefix?: 'query' | 'the'; visibility?: Visibility; asked?: boolean }[] = [
    { name: 'bare' },
    { name: 'oracle, exact', prefix: 'query' },
    { name: 'oracle, full', prefix: 'query', visibility: 'full' },
    { name: 'the', prefix: 'the' },
    { name: 'query in the decoder', asked: true },
  ];
  const items = Array.from({ length: 40 }, (_, index) => generateAd({ split: 'test', index })).flatMap((ad) => {
    const { query, answer } = ad.questions[0]!;
    return conditions.map(({ prefix, visibility, asked }) => ({
      document: ad.text,
      target: answer,
      ...(prefix && { prefix: prefix === 'query' ? query : prefix }),
      ...(visibility && { visibility }),
      ...(asked && { query }),
    }));
  });

  async function nlls(precision: Precision, cacheDirectory: string): Promise<number[]> {
    const model = await loadModel(BUILT_IN_MODEL, { precision, cacheDirectory });
    try {
      const scores = await scoreTexts(model, items, { maxTokens: 2048 });
      return scores.map((score) => ('nll' in score ? score.nll : Number.NaN));
    } finally {
      await model.close();
    }
  }

  it('moves NLLs by 0.01 nats in the mean and leaves the conditions in their order', async () => {
    const cache = await temporaryFolder();
    const [exact, rounded] = [await nlls('float32', cache), await nlls('int8', cache)];
    const drift = exact.map((nll, i) => Math.abs(rounded[i]! - nll));
    expect(Math.max(...drift)).toBeGreaterThan(0);
    expect(mean(drift)).toBeLessThanOrEqual(0.01);
    const order = (values: readonly number[]) =>
      conditions
        .map(({ name }, at) => ({ name, nll: mean(values.filter((_, i) => i % conditions.length === at)) }))
        .sort((a, b) => a.nll - b.nll)
        .map(({ name }) => name);
    expect(order(rounded)).toEqual(order(exact));
  });
});
