/**
 * The library of the CUDA provider: where the runtime looks for it, and why it cannot be loaded. The runtime itself says of that no more than that it
 * "failed to load shared library".
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { messageOf } from '../base/errors.js';

/** The provider and what it has in common with other providers, as files; loaded in this order. */
export const CUDA_PROVIDER_FILES = ['libonnxruntime_providers_shared.so', 'libonnxruntime_providers_cuda.so'] as const;

/** The runtime's own library on Linux. */
export const RUNTIME_LIBRARY = 'libonnxruntime.so.1';

const require = createRequire(import.meta.url);

/** The folder that onnxruntime-node keeps its library in. */
export function runtimeFolder(): string {
  const bin = path.join(path.dirname(require.resolve('onnxruntime-node/package.json')), 'bin');
  return path.join(bin, 'napi-v6', process.platform, process.arch);
}

/** The folder in which the runtime looks for providers: that by whose name the system's loader found the runtime itself, so LD_LIBRARY_PATH comes first. */
function providerFolder(libraryPath: string | undefined = process.env.LD_LIBRARY_PATH): string {
  const folders = (libraryPath ?? '').split(':').filter((folder) => folder !== '');
  return folders.find((folder) => existsSync(path.join(folder, RUNTIME_LIBRARY))) ?? runtimeFolder();
}

/**
 * Loads the provider's files as the runtime would. They stay loaded: to be asked in a process that needs them, or in one made for it.
 * @returns what is in the way, as a sentence without its stop, or undefined when nothing is
 */
export function cudaLoadProblem(folder = providerFolder()): string | undefined {
  for (const name of CUDA_PROVIDER_FILES) {
    const file = path.join(folder, name);
    if (!existsSync(file)) {
      return `${name} is not in ${folder}. "dkv devices install cuda" brings the CUDA provider from a Python environment or a wheel`;
    }
    const problem = loadProblem(file);
    if (problem !== undefined) return explained(problem);
  }
  return undefined;
}

function loadProblem(file: string): string | undefined {
  const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
  try {
    process.dlopen({ exports: {} }, file, RTLD_NOW | RTLD_GLOBAL);
  } catch (error) {
    // What is no module of Node's has been loaded all the same.
    const isLoaded =
      (error as NodeJS.ErrnoException).code === 'ERR_DLOPEN_FAILED' && /self-register/.test(messageOf(error));
    if (!isLoaded) return messageOf(error);
  }
  return undefined;
}

/** What the system's loader says of a library. */
function explained(problem: string): string {
  const missing = /^(\S+): cannot open shared object file/.exec(problem)?.[1];
  if (missing === 'libcuda.so.1') {
    return 'libcuda.so.1 was not found, which comes with the NVIDIA driver: there is no driver, or a container was started without its GPUs (docker run --gpus all)';
  }
  const version = /^lib(?:cublas|cublasLt|cudart)\.so\.(\d+)$/.exec(missing ?? '')?.[1];
  if (version !== undefined) {
    return `${missing} was not found: the provider needs the libraries of CUDA ${version}, and those of another version do not do`;
  }
  if (missing !== undefined) return `${missing} was not found, which the provider needs`;
  if (/undefined symbol|version `/.test(problem))
    return `the provider does not match this system or this version of ONNX Runtime: ${problem}`;
  return problem;
}
