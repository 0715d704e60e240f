/** Which chunks a worker takes. */
import { describe, expect, it } from 'vitest';
import { chunksFor } from '../../src/fleet/indices.js';
import { bitsForRows } from '../../src/fleet/plan.js';
import { scriptOf } from '../../src/fleet/scripts.js';

describe('the chunks of a worker', () => {
  it('are those that it is told, each once', () => {
    expect(chunksFor({ chunks: ['3', '0-2', '2'] }, 10, {})).toEqual([3, 0, 1, 2]);
    for (const bad of ['2-1', 'x', '-1', '1.5']) {
      expect(() => chunksFor({ chunks: [bad] }, 10, {})).toThrow(/expected a number from 0/);
    }
    expect(() => chunksFor({ chunks: ['1'], of: 2 }, 10, {})).toThrow(/one or the other/);
  });

  it('are those of an index, by what the scheduler says, and of all indices every one once', () => {
    expect(chunksFor({}, 10, { JOB_COMPLETION_INDEX: '4' })).toEqual([4]);
    expect(chunksFor({ of: 4 }, 10, { SLURM_ARRAY_TASK_ID: '1' })).toEqual([1, 5, 9]);
    expect(chunksFor({ index: 3, of: 4 }, 3, { SLURM_ARRAY_TASK_ID: '1' })).toEqual([]);
    for (const count of [0, 1, 7, 8, 9]) {
      const all = [0, 1, 2, 3].flatMap((index) => chunksFor({ index, of: 4 }, count, {}));
      expect(all.sort((one, other) => one - other)).toEqual(Array.from({ length: count }, (_, at) => at));
    }
    expect(() => chunksFor({}, 10, {})).toThrow(/Which chunks/);
    expect(() => chunksFor({}, 10, { JOB_COMPLETION_INDEX: 'x' })).toThrow(/JOB_COMPLETION_INDEX is "x"/);
    expect(() => chunksFor({ index: 4, of: 4 }, 10, {})).toThrow(/from 0 to 3/);
  });

  it('are about as large as was asked for', () => {
    expect([1, 1000, 1001, 50_000, 1e8].map((rows) => bitsForRows(rows, 1000))).toEqual([0, 0, 1, 6, 17]);
    expect(bitsForRows(0, 1000)).toBe(0);
  });
});

it('scripts quote what the shell would read otherwise', () => {
  const options = { catalogue: "it's here", plan: '0123456789abcdef', chunks: 9, tasks: 2, parallel: 1, image: 'dkv' };
  expect(scriptOf('xargs', options)).toContain(`dkv fleet work '\\''it'\\''\\'\\'''\\''s here'\\''`);
  expect(scriptOf('slurm', options)).toContain('--array=0-1%1');
});
