import { describe, expect, it } from 'vitest';
import { deviceEstimate, heldBytes, planDevice } from '../../src/model/device-memory.js';
import { weightCount } from '../../src/model/memory.js';
import { LARGE, SMALL } from '../support/published.js';

const ON_CUDA = { precision: 'bfloat16', device: 'cuda' } as const;

describe("a device's memory", () => {
  it('is asked for by what is left of it: batches of rows that keep the device busy, fewer where they do not fit', () => {
    const large = planDevice(SMALL, ON_CUDA, 80e9);
    const small = planDevice(SMALL, ON_CUDA, 6e9);
    expect(large.batchTokens).toBeGreaterThan(small.batchTokens);
    // Another day's free memory is a little different; a run that is resumed has to have the same batches.
    expect(planDevice(SMALL, ON_CUDA, 79e9).batchTokens).toBe(large.batchTokens);
    for (const free of [6e9, 12e9, 80e9]) {
      const { batchTokens } = planDevice(SMALL, ON_CUDA, free);
      expect(Math.log2(batchTokens) % 1).toBe(0);
      expect(deviceEstimate(SMALL, { ...ON_CUDA, batchTokens })).toBeLessThanOrEqual(free);
    }
  });

  it('takes the batches that were asked for, if they fit', () => {
    expect(planDevice(SMALL, { ...ON_CUDA, batchTokens: 3000 }, 80e9).batchTokens).toBe(3000);
    expect(() => planDevice(SMALL, { ...ON_CUDA, batchTokens: 1e6 }, 12e9)).toThrow(
      expect.objectContaining({
        code: 'MEMORY_SHORT',
        message: expect.stringMatching(
          /As bfloat16 on cuda, in batches of 1000000 rows, .* about \d+\.\d GB of the device's memory; 12\.0 GB are available\. --batch-tokens \d+ would fit\./,
        ),
      }),
    );
  });

  it('counts what attention takes of the longest input, and each worker', () => {
    const use = { ...ON_CUDA, batchTokens: 1024 };
    expect(deviceEstimate(SMALL, { ...use, tokens: 8192 })).toBeGreaterThan(deviceEstimate(SMALL, use) + 1e9);
    expect(deviceEstimate(SMALL, { ...use, workers: 2 })).toBe(2 * deviceEstimate(SMALL, use));
    expect(() => planDevice(LARGE, { ...ON_CUDA, workers: 2 }, 24e9)).toThrow('--workers 1');
  });

  it('is known to be short before anything is loaded, with what would fit', () => {
    expect(() => planDevice(LARGE, { precision: 'float32', device: 'cuda' }, 24e9)).toThrow(
      /As float32 on cuda, in batches of 1024 rows.* --precision bfloat16 would take \d+\.\d GB\./,
    );
    // WebGPU has no bfloat16.
    expect(() => planDevice(LARGE, { precision: 'float32', device: 'webgpu' }, 24e9)).toThrow(
      /--precision float16 would/,
    );
    expect(() => planDevice(LARGE, ON_CUDA, 8e9)).toThrow(/--precision int8 would take|Take a smaller model/);
  });

  it('holds weights once for encoding and scoring, in 16 bits: 4b-4b fits on a card of 24 GB, with room left of 20', () => {
    const held = heldBytes(LARGE, 'bfloat16', 'cuda', ['encoder', 'score']);
    // Norms are float32, of a few thousand numbers each.
    expect(held / (2 * weightCount(LARGE))).toBeCloseTo(1, 3);
    const { batchTokens, givenRows, weightBytes } = planDevice(LARGE, { ...ON_CUDA, tokens: 2048 }, 23.5e9);
    expect(givenRows).toBe(true);
    expect(batchTokens).toBeGreaterThanOrEqual(4096);
    expect(deviceEstimate(LARGE, { ...ON_CUDA, batchTokens, tokens: 2048 })).toBeLessThan(20e9);
    // Text is written by a decoder that holds its weights again, for which the scoring one makes room.
    const writing = heldBytes(LARGE, 'bfloat16', 'cuda', ['cross', 'generate']);
    expect(held + writing).toBeGreaterThan(weightBytes!);
    expect(heldBytes(LARGE, 'bfloat16', 'cuda', ['encoder', 'cross', 'generate'])).toBeLessThan(weightBytes!);
    // Of a small table the copy is quicker than bringing rows.
    expect(planDevice(SMALL, ON_CUDA, 23.5e9).givenRows).toBe(false);
  });

  it('decides nothing where nothing tells how much there is', () => {
    const { batchTokens, weightBytes } = planDevice(LARGE, ON_CUDA, undefined);
    expect(batchTokens).toBeGreaterThanOrEqual(1024);
    expect(weightBytes).toBeUndefined();
    expect(planDevice(LARGE, { ...ON_CUDA, batchTokens: 77 }, undefined).batchTokens).toBe(77);
  });
});
