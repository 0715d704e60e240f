/** What an engine's process is started with, and the precision that is decided by it. */
import { execFileSync } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { processEnvironment } from '../../src/devices/environment.js';
import { DEVICES } from '../../src/engine/engine.js';
import { PRECISIONS } from '../../src/model/graph/layout.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';

const OTHERS = PRECISIONS.filter((precision) => precision !== 'tf32');

afterEach(() => vi.unstubAllEnvs());

describe("a process's environment", () => {
  it.each(OTHERS)('keeps products on CUDA from TF32 as %s, whatever the user has set', async (precision) => {
    const cache = await temporaryFolder();
    for (const [given, notices] of [
      [{}, 0],
      [{ NVIDIA_TF32_OVERRIDE: '' }, 0],
      [{ NVIDIA_TF32_OVERRIDE: '0' }, 0],
      [{ NVIDIA_TF32_OVERRIDE: '1' }, 1],
    ] as const) {
      const made = await processEnvironment('cuda', precision, cache, { ...given, HOME: '/home/me' });
      expect(made.variables).toMatchObject({ NVIDIA_TF32_OVERRIDE: '0', HOME: '/home/me' });
      expect(made.notices).toHaveLength(notices);
      for (const notice of made.notices) expect(notice).toMatch(/"1".*--precision tf32/);
    }
  });

  it('lets them be made in TF32 as tf32, and says so where the environment forbids it', async () => {
    const cache = await temporaryFolder();
    for (const given of [{}, { NVIDIA_TF32_OVERRIDE: '1' }, { NVIDIA_TF32_OVERRIDE: '0' }]) {
      const made = await processEnvironment('cuda', 'tf32', cache, given);
      expect(made.variables).not.toHaveProperty('NVIDIA_TF32_OVERRIDE');
      expect(made.notices).toHaveLength('NVIDIA_TF32_OVERRIDE' in given && given.NVIDIA_TF32_OVERRIDE === '0' ? 1 : 0);
    }
  });

  it("counts cards as NVIDIA's driver does, whose memory is asked for", async () => {
    const cache = await temporaryFolder();
    const order = async (given: Record<string, string>) =>
      (await processEnvironment('cuda', 'float32', cache, given)).variables.CUDA_DEVICE_ORDER;
    expect(await order({})).toBe('PCI_BUS_ID');
    expect(await order({ CUDA_DEVICE_ORDER: 'FASTEST_FIRST' })).toBe('FASTEST_FIRST');
  });

  it('is left alone for other devices', async () => {
    const given = { NVIDIA_TF32_OVERRIDE: '1', LD_LIBRARY_PATH: '/a' };
    for (const device of DEVICES.filter((name) => name !== 'cuda')) {
      expect(await processEnvironment(device, 'float32', '/nowhere', given)).toEqual({ variables: given, notices: [] });
    }
  });
});

describe('tf32', () => {
  it.each(DEVICES.filter((name) => name !== 'cuda'))('is refused on %s before anything is compiled', async (device) => {
    const cacheDirectory = await temporaryFolder();
    await expect(loadModel(BUILT_IN_MODEL, { device, precision: 'tf32', cacheDirectory })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/"cuda" only.*--precision float32/),
    });
    expect(await readdir(cacheDirectory)).toEqual([]);
  });
});

/** Where the runtime has the provider as an option; its library is not needed for what is tested here. */
describe.runIf(process.platform === 'linux' && process.arch === 'x64')('an engine on CUDA', () => {
  const childEnvironment = async () => {
    const child = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'hosts/child.js'], {
      encoding: 'utf8',
    }).trim();
    const lines = (await readFile(`/proc/${child}/environ`, 'utf8')).split('\0');
    return lines.filter((line) => /^(NVIDIA_TF32_OVERRIDE|LD_LIBRARY_PATH)=/.test(line)).sort();
  };

  it('lives in a process that has what the precision wants, with float32’s weights and a fingerprint of its own', async () => {
    vi.stubEnv('NVIDIA_TF32_OVERRIDE', '1');
    vi.stubEnv('LD_LIBRARY_PATH', '/opt/of-the-user');
    const cacheDirectory = await temporaryFolder();
    const fingerprints: string[] = [];
    for (const [precision, expected, notices] of [
      ['float32', ['LD_LIBRARY_PATH=/opt/of-the-user', 'NVIDIA_TF32_OVERRIDE=0'], 1],
      ['tf32', ['LD_LIBRARY_PATH=/opt/of-the-user'], 0],
    ] as const) {
      const said: string[] = [];
      const onNotice = (notice: string) => said.push(notice);
      const model = await loadModel(BUILT_IN_MODEL, { device: 'cuda', precision, cacheDirectory, onNotice });
      try {
        expect(model.engine.info).toMatchObject({ precision, device: 'cuda' });
        expect(await childEnvironment()).toEqual(expected);
        expect(said.filter((notice) => notice.includes('TF32'))).toHaveLength(notices);
        expect(model.formerly).toHaveLength(precision === 'tf32' ? 0 : 1);
        fingerprints.push(model.fingerprint);
      } finally {
        await model.close();
      }
    }
    expect(new Set(fingerprints).size).toBe(2);
    const models = await readdir(path.join(cacheDirectory, 'models'));
    expect(models.map((name) => name.split('-')[1])).toEqual(['float32']);
  });

  it('is not let into the store of a model as float32', async () => {
    const cacheDirectory = await temporaryFolder();
    const store = await openStore(path.join(await temporaryFolder(), 'store'));
    const cpu = await loadModel(BUILT_IN_MODEL, { cacheDirectory });
    const cuda = await loadModel(BUILT_IN_MODEL, { device: 'cuda', precision: 'tf32', cacheDirectory });
    try {
      await prime(cpu, store, [{ id: 'a', text: 'The lamp costs 24 euros.' }], {});
      await expect(prime(cuda, store, [{ id: 'b', text: 'A desk.' }], {})).rejects.toMatchObject({
        code: 'STORE_MISMATCH',
        message: expect.stringContaining('tf32'),
      });
    } finally {
      await Promise.all([cpu.close(), cuda.close(), store.close()]);
    }
  });

  it('is refused as several workers on WebGPU, whose provider cannot run two at a time, before anything is compiled', async () => {
    const cacheDirectory = await temporaryFolder();
    for (const host of [undefined, 'thread', 'process'] as const) {
      const options = { device: 'webgpu', workers: 2, cacheDirectory, ...(host && { host }) } as const;
      await expect(loadModel(BUILT_IN_MODEL, options)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(/workers is 2; on "webgpu" one engine computes/),
      });
    }
    expect(await readdir(cacheDirectory)).toEqual([]);
  });

  it('is refused as a thread', async () => {
    await expect(loadModel(BUILT_IN_MODEL, { device: 'cuda', host: 'thread' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/process of its own.*Leave host out/),
    });
  });
});
