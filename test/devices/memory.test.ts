import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { deviceMemory } from '../../src/devices/memory.js';
import { loadModel } from '../../src/scoring/load-model.js';

const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-device-memory-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An environment whose `nvidia-smi` is this script; the real one belongs to a driver that few machines have. */
async function withDriver(name: string, script: string, own: NodeJS.ProcessEnv = {}): Promise<NodeJS.ProcessEnv> {
  const bin = await mkdtemp(path.join(folder, `${name}-`));
  const file = path.join(bin, 'nvidia-smi');
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  return { ...own, PATH: `${bin}${path.delimiter}${process.env.PATH}` };
}

describe.skipIf(process.platform === 'win32')("what NVIDIA's driver says of memory", () => {
  it('is total and free, of the first device that may be used', async () => {
    const script = 'case "$*" in *memory.total,memory.free*--id=3) echo "24564, 23001";; *) echo "81559, 81000";; esac';
    const three = await withDriver('three', script, { CUDA_VISIBLE_DEVICES: '3,1' });
    expect(await deviceMemory('cuda', undefined, three)).toEqual({
      totalBytes: 24_564 * 2 ** 20,
      freeBytes: 23_001 * 2 ** 20,
      from: 'nvidia-smi',
    });
    const first = await deviceMemory('cuda', undefined, await withDriver('first', script));
    expect(first?.freeBytes).toBe(81_000 * 2 ** 20);
    const none = await withDriver('none', script, { CUDA_VISIBLE_DEVICES: '' });
    expect(await deviceMemory('cuda', undefined, none)).toBeUndefined();
  });

  it.each([
    ['shares the memory of the machine', 'echo "[N/A], [N/A]"'],
    ['has no driver', 'echo "NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver."; exit 9'],
  ])('is nothing where a card %s', async (name, script) => {
    expect(await deviceMemory('cuda', undefined, await withDriver(name.replaceAll(' ', '-'), script))).toBeUndefined();
  });

  it('stops a model that does not fit before anything of it is loaded', async () => {
    const environment = await withDriver('small', 'echo "1024, 900"');
    const before = process.env.PATH;
    process.env.PATH = environment.PATH;
    try {
      await expect(
        loadModel(undefined, { device: 'cuda', cacheDirectory: path.join(folder, 'never') }),
      ).rejects.toMatchObject({ code: 'MEMORY_SHORT', message: expect.stringContaining('0.9 GB are available') });
    } finally {
      process.env.PATH = before;
    }
  });
});

describe('memory that is stated', () => {
  it('comes before what a driver says', async () => {
    const stated = { totalBytes: 5e9, freeBytes: 5e9, from: 'stated' };
    expect(await deviceMemory('webgpu', 5e9, {})).toEqual(stated);
    expect(await deviceMemory('webgpu', undefined, { DKV_DEVICE_MEMORY: '5' })).toEqual(stated);
  });

  it('is nothing for a device that nobody can ask', async () => {
    expect(await deviceMemory('webgpu', undefined, {})).toBeUndefined();
    expect(await deviceMemory('cuda', undefined, { PATH: folder })).toBeUndefined();
  });

  it.each([0, -5, Number.NaN])('by a program is not %d', async (bytes) => {
    await expect(deviceMemory('webgpu', bytes, {})).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it.each(['a lot', '0', '-3'])('is no %s', async (given) => {
    await expect(deviceMemory('webgpu', undefined, { DKV_DEVICE_MEMORY: given })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(JSON.stringify(given)),
    });
  });
});
