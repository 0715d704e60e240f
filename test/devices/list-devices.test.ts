/** What is said of each provider, whatever is missing. */
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { installCuda } from '../../src/devices/install-cuda.js';
import { listDevices } from '../../src/devices/list-devices.js';
import { isOlder, parseGpus, parseKernelDriver } from '../../src/devices/nvidia.js';
import { parseAdapters } from '../../src/devices/vulkan.js';
import { CUDA_PROVIDER_FILES } from '../../src/engine/cuda-library.js';
import { DEVICES } from '../../src/engine/engine.js';
import { onnxRuntimeVersion } from '../../src/engine/onnxruntime.js';
import { temporaryFolder } from '../support/fixtures.js';
import { library } from '../support/wheels.js';

afterEach(() => vi.unstubAllEnvs());

describe('devices', () => {
  it('are listed with what they lack and how to get it, where nothing of it is there', async () => {
    vi.stubEnv('VK_DRIVER_FILES', '/no/such/driver.json');
    // No tools of the system, which are asked by name.
    vi.stubEnv('PATH', '/nowhere');
    vi.stubEnv('LD_LIBRARY_PATH', '');
    const { devices, runtimeVersion } = await listDevices({ cacheDirectory: await temporaryFolder() });
    expect(runtimeVersion).toBe(onnxRuntimeVersion());
    expect(devices.map(({ name }) => name)).toEqual(DEVICES);
    for (const { name, usable, message, parts } of devices) {
      expect(message, name).not.toBe('');
      if (name === 'cpu') expect(usable).toBe(true);
      for (const part of parts) expect(part.advice === null, part.name).toBe(part.state === 'ok');
    }
    if (process.platform !== 'linux' || process.arch !== 'x64') return;
    const [cuda, webgpu] = ['cuda', 'webgpu'].map((wanted) => devices.find(({ name }) => name === wanted)!);
    expect(cuda).toMatchObject({ usable: false, message: expect.stringMatching(/^lacks CUDA provider/) });
    expect(cuda!.parts[0]).toMatchObject({
      state: 'missing',
      advice: expect.stringMatching(/pip install.*install cuda/),
    });
    expect(cuda!.parts.map(({ name }) => name)).toContain('libcublasLt.so.13');
    expect(webgpu).toMatchObject({ usable: false, message: expect.stringMatching(/no adapter was found/) });
    expect(webgpu!.parts[1]).toMatchObject({ found: null, searched: ['/no/such/driver.json'] });
  });

  it.runIf(process.platform === 'linux' && process.arch === 'x64')(
    'have the libraries of another CUDA named as such',
    async () => {
      const [cacheDirectory, from, libraries] = [
        await temporaryFolder(),
        await temporaryFolder(),
        await temporaryFolder(),
      ];
      for (const name of CUDA_PROVIDER_FILES)
        await writeFile(path.join(from, name), library(onnxRuntimeVersion(), name));
      await installCuda({ cacheDirectory, from });
      await mkdir(libraries, { recursive: true });
      await writeFile(path.join(libraries, 'libcublasLt.so.12'), '');
      await writeFile(path.join(libraries, 'libcudart.so.13'), '');
      vi.stubEnv('LD_LIBRARY_PATH', libraries);
      vi.stubEnv('VK_DRIVER_FILES', '/no/such/driver.json');
      const { devices } = await listDevices({ cacheDirectory });
      const part = (name: string) =>
        devices.find((device) => device.name === 'cuda')!.parts.find((own) => own.name.startsWith(name));
      expect(part('CUDA provider')).toMatchObject({ state: 'ok' });
      expect(part('libcublasLt.so.13')).toMatchObject({
        state: 'wrong',
        found: path.join(libraries, 'libcublasLt.so.12'),
        advice: expect.stringMatching(/another version does not do/),
      });
      expect(part('libcudart.so.13')).toMatchObject({ state: 'ok', found: path.join(libraries, 'libcudart.so.13') });
      // What was cut off since would kill the process that loads it.
      const cut = path.join(cacheDirectory, 'providers', `cuda-${onnxRuntimeVersion()}`, CUDA_PROVIDER_FILES[1]);
      await truncate(cut, 40);
      const now = (await listDevices({ cacheDirectory })).devices.find(({ name }) => name === 'cuda')!;
      expect(now.parts[0]).toMatchObject({
        state: 'wrong',
        found: cut,
        advice: expect.stringMatching(/cut off.*--from/),
      });
    },
  );
});

describe("tools' words", () => {
  it.each([
    [
      'NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 07:17:16 UTC 2025\nGCC version: 12.2.0\n',
      '580.65.06',
    ],
    [
      'NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.105.08  Release Build  (dvs-builder)\n',
      '580.105.08',
    ],
    ['NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82  Mon\n', '470.82'],
    ['', undefined],
  ])("are read for the driver's version: %j", (text, expected) => {
    expect(parseKernelDriver(text)).toBe(expected);
  });

  it('are read for GPUs', () => {
    const text = 'NVIDIA H100 80GB HBM3, 81559, 80994, 580.65.06, 9.0\nTesla T4, 15360, [N/A], 580.65.06, [N/A]\n';
    expect(parseGpus(text)).toEqual({
      driver: '580.65.06',
      gpus: [
        {
          name: 'NVIDIA H100 80GB HBM3',
          memoryBytes: 81559 * 2 ** 20,
          freeBytes: 80994 * 2 ** 20,
          computeCapability: '9.0',
        },
        { name: 'Tesla T4', memoryBytes: 15360 * 2 ** 20, freeBytes: 0, computeCapability: null },
      ],
    });
    expect(parseGpus('No devices were found\n')).toEqual({ driver: undefined, gpus: [] });
  });

  it('are read for adapters', () => {
    const summary =
      'Devices:\n========\nGPU0:\n\tdeviceName         = llvmpipe (LLVM 15.0.6, 256 bits)\n\tdriverInfo         = Mesa 25.0.7\nGPU1:\n\tdeviceName = NVIDIA L4\n';
    expect(parseAdapters(summary)).toEqual(['llvmpipe (LLVM 15.0.6, 256 bits) (Mesa 25.0.7)', 'NVIDIA L4']);
    expect(parseAdapters('ERROR: vkCreateInstance')).toEqual([]);
  });

  it('compare versions by their numbers', () => {
    const pairs = [
      ['570.86.10', true],
      ['580.65.06', false],
      ['580.7', true],
      ['1000.1', false],
      ['580.65', true],
    ] as const;
    for (const [version, older] of pairs) expect(isOlder(version, '580.65.06'), version).toBe(older);
  });
});
