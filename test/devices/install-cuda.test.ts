/** CUDA's provider from made-up packages of the real form: what is taken, what is refused, and what a killed installation leaves. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { cudaLibraryPath, installedCuda } from '../../src/devices/cuda-provider.js';
import { neededLibraries } from '../../src/devices/elf.js';
import { processEnvironment } from '../../src/devices/environment.js';
import { installCuda, planCudaInstall, removeCuda } from '../../src/devices/install-cuda.js';
import { listDevices } from '../../src/devices/list-devices.js';
import { CUDA_PROVIDER_FILES, RUNTIME_LIBRARY, runtimeFolder } from '../../src/engine/cuda-library.js';
import { onnxRuntimeVersion } from '../../src/engine/onnxruntime.js';
import { temporaryFolder } from '../support/fixtures.js';
import { library, packageFiles, writeEnvironment, writeWheel } from '../support/wheels.js';

const VERSION = onnxRuntimeVersion();
const isLinux = process.platform === 'linux' && process.arch === 'x64';

async function folderWith(files: Readonly<Record<string, Buffer>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(folder, name), bytes);
  return folder;
}

const bare = (version: string) =>
  folderWith(Object.fromEntries(CUDA_PROVIDER_FILES.map((name) => [name, library(version, name)])));

describe.runIf(isLinux)("CUDA's provider", () => {
  it('is taken from a wheel, checked by its digests and found by a process through its library path', async () => {
    const [cacheDirectory, folder] = [await temporaryFolder(), await temporaryFolder()];
    const members = packageFiles({ version: VERSION });
    const from = await writeWheel(path.join(folder, 'onnxruntime_gpu.whl'), members);
    const plan = await planCudaInstall({ cacheDirectory, from });
    expect(plan).toMatchObject({ version: VERSION, source: from, replaces: false, libraryFolders: [] });
    expect(await readdir(cacheDirectory)).toEqual([]);
    const installed = await installCuda({ cacheDirectory, from });
    for (const name of CUDA_PROVIDER_FILES) {
      const copied = await readFile(path.join(installed.folder, name));
      expect(copied.equals(members.get(`onnxruntime/capi/${name}`)!)).toBe(true);
      expect(plan.files).toContainEqual({ name, sizeBytes: copied.length, digest: installed.digests[name] });
    }
    expect(await readlink(path.join(installed.folder, RUNTIME_LIBRARY))).toBe(
      path.join(runtimeFolder(), RUNTIME_LIBRARY),
    );
    const { variables } = await processEnvironment('cuda', 'float32', cacheDirectory, {
      LD_LIBRARY_PATH: '/opt/mine:',
    });
    expect(variables.LD_LIBRARY_PATH!.split(':').slice(0, 2)).toEqual([installed.folder, '/opt/mine']);
    expect((await planCudaInstall({ cacheDirectory, from })).replaces).toBe(true);
    expect(await removeCuda(cacheDirectory)).toEqual([installed.folder]);
    expect(await installedCuda(cacheDirectory)).toBeUndefined();
    expect(await readdir(path.dirname(installed.folder))).toEqual([]);
    expect(await removeCuda(cacheDirectory)).toEqual([]);
  });

  it('is where the runtime looks for it', async () => {
    const cacheDirectory = await temporaryFolder();
    const { folder } = await installCuda({ cacheDirectory, from: await bare(VERSION) });
    const { variables } = await processEnvironment('cuda', 'float32', cacheDirectory);
    // As it is by itself, the runtime writes which file it cannot load.
    const script = `const { InferenceSession } = require('onnxruntime-node');
      InferenceSession.create(Buffer.from([8]), { executionProviders: ['cuda'] }).catch(() => undefined);`;
    const child = spawn(process.execPath, ['-e', script], {
      env: variables as NodeJS.ProcessEnv,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    await once(child, 'close');
    expect(said).toContain(`Failed to load library ${path.join(folder, CUDA_PROVIDER_FILES[0])}`);
  });

  it('is taken from a Python environment, whose libraries of CUDA are remembered', async () => {
    const cacheDirectory = await temporaryFolder();
    const environment = await writeEnvironment(await temporaryFolder(), packageFiles({ version: VERSION }));
    const packages = path.join(environment, 'lib/python3.12/site-packages');
    const libraries = path.join(packages, 'nvidia/cu13/lib');
    await mkdir(libraries, { recursive: true });
    await writeFile(path.join(libraries, 'libcudart.so.13'), '');
    for (const from of [
      environment,
      path.join(environment, 'bin/python'),
      packages,
      path.join(packages, 'onnxruntime/capi'),
    ]) {
      const installed = await installCuda({ cacheDirectory, from });
      expect(installed.libraryFolders, from).toEqual([libraries]);
    }
    expect((await cudaLibraryPath(cacheDirectory, {})).split(':')).toContain(libraries);
    // Of an environment that has gone nothing is given to the process.
    await rm(environment, { recursive: true });
    expect((await cudaLibraryPath(cacheDirectory, {})).split(':')).not.toContain(libraries);
  });

  it('follows the runtime when its package has moved', async () => {
    const cacheDirectory = await temporaryFolder();
    const { folder } = await installCuda({ cacheDirectory, from: await bare(VERSION) });
    const link = path.join(folder, RUNTIME_LIBRARY);
    await rm(link);
    await symlink('/no/such/package/libonnxruntime.so.1', link);
    await cudaLibraryPath(cacheDirectory, {});
    expect(await readlink(link)).toBe(path.join(runtimeFolder(), RUNTIME_LIBRARY));
    // Where it cannot, as in a folder that others look after, it says which link, and so does the list of devices.
    await rm(link);
    await mkdir(path.join(link, 'in the way'), { recursive: true });
    const unusable = { code: 'FILES_UNUSABLE', message: expect.stringContaining(`${link} has to become a link`) };
    await expect(cudaLibraryPath(cacheDirectory, {})).rejects.toMatchObject(unusable);
    const { devices } = await listDevices({ cacheDirectory });
    expect(devices.find(({ name }) => name === 'cuda')).toMatchObject({ usable: false, message: unusable.message });
  });

  const wheel = async (made: Parameters<typeof packageFiles>[0]) =>
    writeWheel(path.join(await temporaryFolder(), 'made.whl'), packageFiles(made));
  const cutOff = async () => {
    const file = await wheel({ version: VERSION });
    await truncate(file, 150_000);
    return file;
  };
  it.each<[string, () => Promise<string>, string, RegExp]>([
    [
      'a wheel of another version',
      () => wheel({ version: '1.22.0' }),
      'INPUT_INVALID',
      /onnxruntime-gpu 1\.22\.0.*pip install onnxruntime-gpu==/,
    ],
    [
      'a wheel with other bytes',
      () => wheel({ version: VERSION, wrongDigest: true }),
      'DOWNLOAD_DAMAGED',
      /RECORD says/,
    ],
    ['a wheel that was cut off', cutOff, 'INPUT_INVALID', /cannot be read as a wheel.*downloaded whole/],
    [
      'a wheel of another package',
      () => wheel({ version: VERSION, files: { 'other/a.so': Buffer.of(1) } }),
      'INPUT_INVALID',
      /holds no .*pip download --no-deps/,
    ],
    [
      'a folder with a library of another version',
      () => bare('1.22.0'),
      'INPUT_INVALID',
      /does not say that it is of version/,
    ],
    [
      'a folder with no libraries for this system',
      () => folderWith(Object.fromEntries(CUDA_PROVIDER_FILES.map((name) => [name, Buffer.from('MZ\0')]))),
      'INPUT_INVALID',
      /no library for Linux on x64/,
    ],
    [
      'a library that was copied in part',
      () => {
        const whole = library(VERSION);
        // Its table of sections is said to stand behind its end.
        whole.writeBigUInt64LE(BigInt(whole.length), 40);
        whole.writeUInt16LE(64, 58);
        whole.writeUInt16LE(30, 60);
        return folderWith(Object.fromEntries(CUDA_PROVIDER_FILES.map((name) => [name, whole])));
      },
      'DOWNLOAD_DAMAGED',
      /was cut off: it has \d+ bytes of at least/,
    ],
    ['an empty folder', temporaryFolder, 'INPUT_INVALID', /holds neither/],
    ['what is not there', async () => '/no/such/python', 'INPUT_INVALID', /no such file/],
    ['a program that is no Python', async () => '/bin/true', 'INPUT_INVALID', /no Python/],
    [
      'a Python without the package',
      async () =>
        writeEnvironment(
          await temporaryFolder(),
          new Map([['onnxruntime-1.30.0.dist-info/METADATA', Buffer.from('Version: 1.30.0\n')]]),
        ),
      'INPUT_INVALID',
      /has no onnxruntime-gpu \(onnxruntime alone.*pip install/,
    ],
  ])('refuses %s and leaves nothing', async (_, source, code, message) => {
    const cacheDirectory = await temporaryFolder();
    const from = await source();
    await expect(installCuda({ cacheDirectory, from })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(await readdir(path.join(cacheDirectory, 'providers')).catch(() => [])).toEqual([]);
  });

  it('is refused a place whose name a library path cannot hold', async () => {
    const cacheDirectory = path.join(await temporaryFolder(), 'a:b');
    await expect(installCuda({ cacheDirectory, from: await bare(VERSION) })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/a:b has ":".*DKV_CACHE/),
    });
  });

  it('is whole, or not there, after a kill or a cancel in the middle', async () => {
    const cacheDirectory = await temporaryFolder();
    const from = await bare(VERSION);
    // Sparse, so that writing it takes a while and making it does not.
    await truncate(path.join(from, CUDA_PROVIDER_FILES[1]), 400e6);
    const script = `
      import { installCuda } from ${JSON.stringify(path.resolve('dist/devices/install-cuda.js'))};
      const onProgress = (done) => done > 1e6 && process.stdout.write('at work');
      await installCuda(${JSON.stringify({ cacheDirectory, from }).slice(0, -1)}, onProgress });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    const providers = path.join(cacheDirectory, 'providers');
    expect(await readdir(providers)).toEqual([expect.stringMatching(/\.partial$/)]);
    expect(await installedCuda(cacheDirectory)).toBeUndefined();
    // What was left takes room until somebody says that it should go.
    expect(await removeCuda(cacheDirectory)).toEqual([]);
    expect(await readdir(providers)).toEqual([]);

    const cancel = new AbortController();
    const onProgress = (done: number) => done > 1e6 && cancel.abort();
    await expect(installCuda({ cacheDirectory, from, signal: cancel.signal, onProgress })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await readdir(providers)).toEqual([]);
  });
});

it.runIf(process.platform === 'linux')('reads of a library which others it needs', async () => {
  const needed = await neededLibraries(path.join(runtimeFolder(), RUNTIME_LIBRARY)).catch(() => undefined);
  if (process.arch === 'x64') expect(needed).toEqual(expect.arrayContaining(['libstdc++.so.6', 'libc.so.6']));
  const folder = await folderWith({ short: Buffer.from('\x7fELF'), other: library('1.0.0') });
  for (const name of ['short', 'other']) expect(await neededLibraries(path.join(folder, name))).toBeUndefined();
});
