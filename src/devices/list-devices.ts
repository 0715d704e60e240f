/**
 * What there is of each provider, what it lacks, and how to get it. Nothing here throws for what is missing: to say so is the purpose.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Variables } from '../base/environment.js';
import { DkvError, messageOf } from '../base/errors.js';
import { gigabytes } from '../base/files.js';
import { CUDA_PROVIDER_FILES, RUNTIME_LIBRARY, runtimeFolder } from '../engine/cuda-library.js';
import { DEVICES, type Device } from '../engine/engine.js';
import { onnxRuntime, onnxRuntimeVersion } from '../engine/onnxruntime.js';
import { CUDA, cudaLibraryPath, cudaPackages, installedCuda } from './cuda-provider.js';
import { isWholeLibrary, neededLibraries } from './elf.js';
import { findLibrary, otherVersions, type SystemLibraries, systemLibraries } from './libraries.js';
import { type Gpu, isOlder, nvidiaState } from './nvidia.js';
import { tryDevice } from './trial.js';
import { vulkanAdapters, vulkanDrivers } from './vulkan.js';

/** Something that a device needs. */
export interface DevicePart {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'wrong';
  /** Its place or version; null where there is none. */
  readonly found: string | null;
  /** The places where it was looked for. */
  readonly searched: readonly string[];
  /** How to get it; null where nothing is wrong. */
  readonly advice: string | null;
}

export interface DeviceState {
  readonly name: Device;
  readonly usable: boolean;
  /** What was found, such as an adapter or a GPU, or why it is not usable. */
  readonly message: string;
  readonly parts: readonly DevicePart[];
  readonly gpus: readonly Gpu[];
}

export interface DeviceList {
  /** The version of onnxruntime-node; null where it is not installed. */
  readonly runtimeVersion: string | null;
  readonly platform: string;
  readonly devices: readonly DeviceState[];
}

export interface ListOptions {
  readonly cacheDirectory: string;
  readonly signal?: AbortSignal;
  readonly onRuntimeLine?: (line: string) => void;
}

/** The systems whose package of the runtime has each provider. */
const SYSTEMS: Readonly<Record<Device, string>> = {
  cpu: 'every system',
  cuda: 'Linux x64',
  webgpu: 'Linux, Windows and macOS',
  dml: 'Windows',
  coreml: 'macOS',
};

/** @throws DkvError CANCELLED */
export async function listDevices(options: ListOptions): Promise<DeviceList> {
  const platform = `${process.platform}/${process.arch}`;
  let available: string[];
  try {
    available = onnxRuntime()
      .listSupportedBackends()
      .map(({ name }) => name);
  } catch (error) {
    const devices = DEVICES.map((name) => ({ ...NOTHING, name, usable: false, message: messageOf(error) }));
    return { runtimeVersion: null, platform, devices };
  }
  const devices: DeviceState[] = [];
  for (const name of DEVICES) {
    devices.push(
      available.includes(name)
        ? await stateOf(name, options).catch((error) => unreadable(name, error))
        : { ...NOTHING, name, usable: false, message: `for ${SYSTEMS[name]}, not ${platform}` },
    );
  }
  return { runtimeVersion: onnxRuntimeVersion(), platform, devices };
}

/** The state of a device for which looking failed, such as for a folder that cannot be written to. */
function unreadable(name: Device, error: unknown): DeviceState {
  if (!(error instanceof DkvError) || error.code === 'CANCELLED') throw error;
  return { ...NOTHING, name, usable: false, message: error.message };
}

const GPU = 'a GPU';
const VULKAN_DRIVER = 'a Vulkan driver that is new enough';

const NOTHING: Pick<DeviceState, 'parts' | 'gpus'> = { parts: [], gpus: [] };

async function stateOf(name: Device, options: ListOptions): Promise<DeviceState> {
  if (name === 'cpu') return { ...NOTHING, name, usable: true, message: 'needs nothing' };
  const linux = process.platform === 'linux';
  const {
    parts,
    gpus = [],
    adapters,
  } = name === 'cuda'
    ? await cudaParts(options, process.env)
    : name === 'webgpu' && linux
      ? await webgpuParts(process.env, options.signal)
      : { parts: [] };
  // Where nvidia-smi is not installed there may be GPUs all the same.
  const lacking = parts.filter(({ name: part, state }) => state !== 'ok' && part !== GPU);
  // What cannot be loaded need not be tried.
  if (name === 'cuda' && lacking.length > 0) {
    const message = `lacks ${lacking.map((part) => part.name).join(', ')}`;
    return { name, usable: false, message, parts, gpus };
  }
  try {
    await tryDevice({ device: name, precision: 'float32', measures: false }, options);
    return { name, usable: true, message: ['starts', ...(adapters ?? namesOf(gpus))].join(': '), parts, gpus };
  } catch (error) {
    if (error instanceof DkvError && error.code === 'CANCELLED') throw error;
    const tooOld = (part: DevicePart) =>
      part.name === VULKAN_DRIVER ? { ...part, state: 'wrong' as const, advice: WEBGPU_DRIVERS } : part;
    return { name, usable: false, message: messageOf(error), parts: parts.map(tooOld), gpus };
  }
}

const namesOf = (gpus: readonly Gpu[]) =>
  gpus.length === 0 ? [] : [gpus.map((gpu) => `${gpu.name} (${gigabytes(gpu.memoryBytes)})`).join(', ')];

interface Parts {
  readonly parts: readonly DevicePart[];
  readonly gpus?: readonly Gpu[];
  /** The names of what WebGPU computes on, in one text. */
  readonly adapters?: readonly string[];
}

async function cudaParts({ cacheDirectory, signal }: ListOptions, environment: Variables): Promise<Parts> {
  const version = onnxRuntimeVersion();
  const [folders, system, nvidia] = await Promise.all([
    cudaLibraryPath(cacheDirectory, environment).then((own) => own.split(':').filter((folder) => folder !== '')),
    systemLibraries(),
    nvidiaState(signal),
  ]);
  const provider = await providerPart(cacheDirectory, version);
  const folder = provider.folder ?? runtimeFolder();
  const needed =
    (await neededLibraries(path.join(folder, 'libonnxruntime_providers_cuda.so')).catch(() => undefined)) ?? USUAL;
  const libraries = needed.filter((name) => CUDA_LIBRARY.test(name));
  return {
    parts: [
      ...provider.parts,
      ...libraries.map((name) => libraryPart(name, folders, system, version)),
      driverPart(nvidia.driver, findLibrary('libcuda.so.1', folders, system)),
      gpuPart(nvidia.gpus, nvidia.problem),
    ],
    gpus: nvidia.gpus,
  };
}

/** The names of CUDA's libraries among those that a provider needs. The driver's library is not one of them. */
const CUDA_LIBRARY = /^lib(?!cuda\.)(?:cu|nv)\w*\.so\.\d+$/;
/** The libraries that the provider usually needs, where it is not there to be asked. */
const USUAL = [
  `libcublasLt.so.${CUDA.major}`,
  `libcublas.so.${CUDA.major}`,
  'libcurand.so.10',
  `libcudart.so.${CUDA.major}`,
];

async function providerPart(
  cacheDirectory: string,
  version: string,
): Promise<{ parts: DevicePart[]; folder?: string }> {
  const installed = await installedCuda(cacheDirectory, version);
  const own = runtimeFolder();
  const name = `CUDA provider ${version}`;
  const searched = [cacheDirectory, own];
  const ok = (found: string): DevicePart => ({ name, state: 'ok', found, searched, advice: null });
  const folder = installed?.folder ?? own;
  const files = CUDA_PROVIDER_FILES.map((file) => path.join(folder, file));
  if (files.every((file) => existsSync(file))) {
    for (const file of files) {
      if (await isWholeLibrary(file)) continue;
      const advice = `it is no library for x64, or was cut off. ${installed ? `dkv devices install cuda --from ${installed.source}` : 'Copy it again'}`;
      return { parts: [{ name, state: 'wrong', found: file, searched, advice }], folder };
    }
    return {
      parts: [ok(installed ? `${folder}, from ${installed.source}` : `${own}, beside ${RUNTIME_LIBRARY}`)],
      folder,
    };
  }
  const advice = `${cudaPackages(version)}, then dkv devices install cuda --from that Python`;
  return { parts: [{ name, state: 'missing', found: null, searched, advice }] };
}

function libraryPart(name: string, folders: readonly string[], system: SystemLibraries, version: string): DevicePart {
  const { file, searched } = findLibrary(name, folders, system);
  if (file !== undefined) return { name, state: 'ok', found: file, searched, advice: null };
  const [other] = otherVersions(name, folders, system);
  const advice = `${cudaPackages(version)}, then dkv devices install cuda --from that Python; or install CUDA ${CUDA.major} and set LD_LIBRARY_PATH or CUDA_HOME`;
  return other === undefined
    ? { name, state: 'missing', found: null, searched, advice }
    : { name, state: 'wrong', found: other, searched, advice: `another version does not do. ${advice}` };
}

function driverPart(
  version: string | undefined,
  { file, searched }: { file: string | undefined; searched: readonly string[] },
): DevicePart {
  const name = `NVIDIA driver ${CUDA.driver} or newer`;
  const places = ['/proc/driver/nvidia/version', 'nvidia-smi', ...searched];
  if (file === undefined) {
    const half = version === undefined ? null : `${version}, without libcuda.so.1`;
    const advice = `install NVIDIA's driver (Debian: nvidia-driver from NVIDIA's repository); in a container, start it with its GPUs (docker run --gpus all)`;
    return { name, state: 'missing', found: half, searched: places, advice };
  }
  if (version !== undefined && isOlder(version, CUDA.driver)) {
    return {
      name,
      state: 'wrong',
      found: version,
      searched: places,
      advice: `CUDA ${CUDA.major} needs a newer driver`,
    };
  }
  return { name, state: 'ok', found: `${version ?? 'version not known'}, ${file}`, searched: places, advice: null };
}

function gpuPart(gpus: readonly Gpu[], problem: string | undefined): DevicePart {
  const searched = ['nvidia-smi'];
  if (gpus.length === 0) {
    const advice = `${problem ?? 'none is listed'}. Is CUDA_VISIBLE_DEVICES right, and was a container started with its GPUs?`;
    return { name: GPU, state: 'missing', found: null, searched, advice };
  }
  const found = gpus.map(
    ({ name, memoryBytes, freeBytes }) => `${name}, ${gigabytes(memoryBytes)}, ${gigabytes(freeBytes)} free`,
  );
  return { name: GPU, state: 'ok', found: found.join('; '), searched, advice: null };
}

const WEBGPU_DRIVERS =
  "the driver of the machine's GPU (Debian: libvulkan1 with mesa-vulkan-drivers for AMD and Intel, NVIDIA's own driver for NVIDIA); in software: mesa-vulkan-drivers 25 or newer (Debian 12: from bookworm-backports)";

async function webgpuParts(environment: Variables, signal: AbortSignal | undefined): Promise<Parts> {
  const folders = (environment.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const [system, { drivers, searched }, adapters] = await Promise.all([
    systemLibraries(),
    vulkanDrivers(environment),
    vulkanAdapters(signal),
  ]);
  const loader = findLibrary('libvulkan.so.1', folders, system);
  return {
    parts: [
      {
        name: "Vulkan's loader (libvulkan.so.1)",
        state: loader.file === undefined ? 'missing' : 'ok',
        found: loader.file ?? null,
        searched: loader.searched,
        advice: loader.file === undefined ? 'Debian: apt install libvulkan1' : null,
      },
      {
        name: VULKAN_DRIVER,
        state: drivers.length === 0 ? 'missing' : 'ok',
        found: drivers.length === 0 ? null : drivers.map(({ file }) => file).join(', '),
        searched,
        advice: drivers.length === 0 ? WEBGPU_DRIVERS : null,
      },
    ],
    ...(adapters && adapters.length > 0 && { adapters: [adapters.join(', ')] }),
  };
}
