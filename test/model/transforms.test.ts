import { expect, it } from 'vitest';
import { transformed } from '../../src/model/graph/transforms.js';

it.each([70_000, Number.NaN])('does not keep a weight of %d as float16', async (weight) => {
  async function* chunks() {
    yield Float32Array.of(1, weight);
  }
  await expect(transformed('copy', 'float16', chunks(), [1, 2]).next()).rejects.toThrow(`weight ${weight}`);
});
