import { describe, expect, it } from 'vitest';
import { ATTENTION_BYTES, attentionBytes, expectMemory, memoryEstimate, weightCount } from '../../src/model/memory.js';
import { LARGE, SMALL } from '../support/published.js';

const MACHINE_BYTES = 24e9;

describe('memory', () => {
  it('is counted from the weights: 270m-270m has 368 million, 4b-4b 7.1 billion', () => {
    // t5gemma2.md gives the bfloat16 files as 0.74 GB and 15 GB; the larger one has 0.8 GB of vision parts.
    expect(2 * weightCount(SMALL)).toBeCloseTo(0.737e9, -7);
    expect(weightCount(LARGE)).toBeGreaterThan(6.9e9);
    expect(weightCount(LARGE)).toBeLessThan(7.5e9);
  });

  it('lets 4b-4b run on 24 GB as bfloat16 and not as float32', () => {
    // Measured on these layer shapes and extrapolated: 2.67 GB with one layer pair, 3.59 GB with three, so 17.8 GB with 34.
    expect(memoryEstimate(LARGE, 'float32')).toBeGreaterThan(27e9);
    expect(() => expectMemory(LARGE, 'bfloat16', { available: MACHINE_BYTES })).not.toThrow();
    expect(() => expectMemory(LARGE, 'float32', { available: MACHINE_BYTES })).toThrow(
      expect.objectContaining({
        code: 'MEMORY_SHORT',
        message: expect.stringMatching(
          /about 2\d\.\d GB.*24\.0 GB are available\. --precision bfloat16 would take 1[78]\.\d GB/,
        ),
      }),
    );
  });

  it('counts what each of several workers has of its own', () => {
    expect(memoryEstimate(SMALL, 'int8', { workers: 3 }) - memoryEstimate(SMALL, 'int8', { workers: 2 })).toBeLessThan(
      memoryEstimate(SMALL, 'int8'),
    );
    expect(() => expectMemory(SMALL, 'int8', { workers: 4, available: 4e9 })).toThrow(
      /in 4 workers.*--workers 2 would take 2\.\d GB/,
    );
  });

  it('counts what the scores of long inputs take, in each worker', () => {
    const more = (tokens: number, workers = 1) =>
      memoryEstimate(SMALL, 'int8', { workers, tokens }) - memoryEstimate(SMALL, 'int8', { workers });
    expect(more(512)).toBe(0);
    expect(more(8192)).toBe(attentionBytes(4, 8192, 8192) - ATTENTION_BYTES);
    expect(more(8192, 2)).toBe(2 * more(8192));
    expect(() => expectMemory(SMALL, 'int8', { available: 2e9 })).not.toThrow();
    expect(() => expectMemory(SMALL, 'int8', { available: 2e9, tokens: 8192 })).toThrow('about 3.5 GB');
  });

  it('says when nothing fits', () => {
    expect(() => expectMemory(LARGE, 'bfloat16', { available: 8e9 })).toThrow('No precision fits');
    expect(() => expectMemory(SMALL, 'float32', { available: 8e9 })).not.toThrow();
  });
});
