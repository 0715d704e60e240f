/** What a run on a GPU keeps, concludes and says, without one. */
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deviceReport, type Measured } from '../../bench/device-speed.js';
import { compare } from '../../bench/gpu/compare.js';
import { Journal } from '../../bench/gpu/journal.js';
import type { WorkloadName } from '../../bench/workloads.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-gpu-bench-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the journal of a run', () => {
  it('goes on from what an earlier run has kept, and from nothing that is not whole', async () => {
    const file = path.join(folder, 'steps.jsonl');
    const first = new Journal(file);
    first.add({ step: 'a', result: { value: 1 } });
    first.add({ step: 'b', part: 1 });
    first.add({ step: 'b', problem: 'its time was over' });
    const second = new Journal(file);
    expect(second.result('a')).toEqual({ value: 1 });
    expect(second.result('b')).toBeUndefined();
    expect(second.parts('b')).toEqual([1]);
    expect(second.problem('b')).toBe('its time was over');
    second.add({ step: 'b', part: 2 });
    expect(new Journal(file).parts('b')).toEqual([2]);
  });

  it('leaves out a line that was cut off, and is whole again after it', async () => {
    const file = path.join(folder, 'cut.jsonl');
    new Journal(file).add({ step: 'a', result: 1 });
    await appendFile(file, '{"step":"b","resu');
    const next = new Journal(file);
    expect(next.result('b')).toBeUndefined();
    next.add({ step: 'b', result: 2 });
    const last = new Journal(file);
    expect([last.result('a'), last.result('b')]).toEqual([1, 2]);
    expect(await readFile(file, 'utf8')).not.toContain('"resu{');
  });
});

describe('numbers of a device', () => {
  const reference = { states: [[1, 2]], nlls: [[3, 5]], tokens: [[7, 8]] };

  it('are held to their states in float32, and to mean NLLs in fewer digits', () => {
    const near = { ...reference, states: [[1, 2 + 5e-5]] };
    const moved = { ...reference, states: [[1, 2.01]], nlls: [[3.02, 5.02]] };
    const far = { ...reference, nlls: [[3.2, 5]], tokens: [[7, 9]] };
    expect(compare(near, reference, 'float32').isNear).toBe(true);
    expect(compare(moved, reference, 'float32').isNear).toBe(false);
    expect(compare(moved, reference, 'float16')).toMatchObject({ isNear: true, sameTokens: 1 });
    expect(compare(far, reference, 'bfloat16')).toMatchObject({ isNear: false, sameTokens: 0 });
  });

  it('are not near where one is none, or where some are missing', () => {
    for (const states of [[[Number.NaN, 2]], [[1]], []]) {
      expect(compare({ ...reference, states }, reference, 'float32').isNear).toBe(false);
    }
    expect(compare({ ...reference, nlls: [[Number.NaN, 5]] }, reference, 'tf32').isNear).toBe(false);
  });
});

describe('the report', () => {
  const side = (
    device: 'cuda' | 'webgpu',
    form: Measured['side']['form'],
    states: 'host' | 'device',
    seconds: Partial<Record<WorkloadName, readonly number[]>>,
  ): Measured => ({
    side: {
      name: `${form ?? 'ours'} ${device} ${states}`,
      device,
      ...(form && { form }),
      precision: 'bfloat16',
      states,
    },
    startSeconds: 1,
    about: 'version 1',
    timings: Object.entries(seconds).flatMap(([workload, all]) =>
      all.map((own) => ({ workload: workload as WorkloadName, seconds: own, check: 0.5, peakBytes: 1 })),
    ),
  });

  it('says beside each ratio whether the aim is met: medians, the best size of batches, states on the host', () => {
    const report = deviceReport([
      side('cuda', undefined, 'host', { 'encode-128': [9, 1, 2], 'encode-512': [6], 'generate-16': [2] }),
      side('cuda', undefined, 'host', { 'encode-128': [3] }),
      side('webgpu', undefined, 'host', { 'encode-128': [8], 'encode-512': [60] }),
      side('cuda', 'compiled', 'host', { 'encode-128': [4], 'encode-512': [5] }),
      side('cuda', 'compiled', 'device', { 'encode-128': [0.1] }),
      side('cuda', 'sdpa', 'host', { 'encode-128': [0.1], 'generate-16': [4] }),
    ]);
    expect(report).toContain('| encode, 128 tokens, to compiled | <= 1 | 0.50 met |');
    expect(report).toContain('| encode, 512 tokens, to compiled | <= 1 | 1.20 not met |');
    expect(report).toContain('| generate, 16 texts, to sdpa | <= 0.5 | 0.50 met |');
    expect(report).not.toContain('mixed lengths, to');
    expect(report).toContain('| encode, 128 tokens | <= 5 | 4.00 met |');
    expect(report).toContain('| encode, 512 tokens | <= 5 | 10.00 not met |');
  });
});
