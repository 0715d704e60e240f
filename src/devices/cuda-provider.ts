/**
 * The CUDA provider that "dkv devices install cuda" has put into the cache folder. It lies outside of node_modules: the runtime looks for providers in the folder by
 * whose name the system's loader found the runtime's own library. So the folder holds a link to that library, and an engine's process is started with the
 * folder in front of LD_LIBRARY_PATH.
 */
import { existsSync } from 'node:fs';
import { readlink, rename, rm, symlink } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { readTextIfPresent } from '../base/files.js';
import { tryParse } from '../base/parse.js';
import { CUDA_PROVIDER_FILES, RUNTIME_LIBRARY, runtimeFolder } from '../engine/cuda-library.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';

/** What is known of an installed provider, in a file beside it. */
const recordSchema = z.object({
  version: z.string(),
  /** The place that it was taken from. */
  source: z.string(),
  /** The folders of CUDA's libraries that came with the source. */
  libraryFolders: z.array(z.string()),
  /** The SHA-256 of each file, in hex, by file name. */
  digests: z.record(z.string(), z.string()),
});
export type CudaRecord = z.output<typeof recordSchema>;

export const RECORD_FILE = 'provider.json';

/** The release of CUDA that the provider of onnxruntime-node's version is built for, and what driver that needs on Linux. */
export const CUDA = { major: 13, driver: '580.65.06' } as const;

/** The command that brings the provider of a version, and CUDA's libraries, into a Python environment. */
export function cudaPackages(version: string): string {
  const libraries = ['nvidia-cuda-runtime', 'nvidia-cublas'].map((name) => `"${name}==${CUDA.major}.*"`);
  return `pip install onnxruntime-gpu==${version} ${libraries.join(' ')} "nvidia-curand==10.*"`;
}

/** An installed provider. */
export interface InstalledCuda extends CudaRecord {
  readonly folder: string;
}

/** The folder that all installed providers lie in. */
export function providersFolder(cacheDirectory: string): string {
  return path.join(cacheDirectory, 'providers');
}

export function cudaFolder(cacheDirectory: string, version: string): string {
  return path.join(providersFolder(cacheDirectory), `cuda-${version}`);
}

/** The provider for a version of the runtime, or undefined where none was installed whole. */
export async function installedCuda(
  cacheDirectory: string,
  version: string = onnxRuntimeVersion(),
): Promise<InstalledCuda | undefined> {
  const folder = cudaFolder(cacheDirectory, version);
  const text = await readTextIfPresent(path.join(folder, RECORD_FILE)).catch(() => undefined);
  if (text === undefined || !CUDA_PROVIDER_FILES.every((name) => existsSync(path.join(folder, name)))) return undefined;
  const parsed = tryParse(recordSchema, jsonOf(text));
  return parsed.success && parsed.data.version === version ? { folder, ...parsed.data } : undefined;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The link by which the runtime finds the provider. The package may have moved since it was made. @throws DkvError FILES_UNUSABLE */
export async function linkRuntime(folder: string): Promise<void> {
  const link = path.join(folder, RUNTIME_LIBRARY);
  const target = path.join(runtimeFolder(), RUNTIME_LIBRARY);
  if ((await readlink(link).catch(() => undefined)) === target) return;
  const partial = `${link}.${process.pid}`;
  try {
    await rm(partial, { force: true });
    await symlink(target, partial);
    await rename(partial, link);
  } catch (error) {
    // Not what the system names first, which is the file that is linked to.
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DkvError(
      'FILES_UNUSABLE',
      `${link} has to become a link to ${target}, where onnxruntime-node is now, and cannot (${code ?? message}). Whoever may write there has to run "dkv devices install cuda" again; or set DKV_CACHE to a folder of your own and install there.`,
    );
  }
}

/** Folders that CUDA installs itself into. */
function cudaFolders({ CUDA_HOME, CUDA_PATH }: Variables): string[] {
  const homes = [CUDA_HOME, CUDA_PATH, '/usr/local/cuda'].filter((home) => home !== undefined && home !== '');
  return [...new Set(homes)].map((home) => path.join(home!, 'lib64'));
}

/** LD_LIBRARY_PATH for a process that computes on CUDA: the provider, what the user set, what came with the provider, CUDA's own folders. */
export async function cudaLibraryPath(cacheDirectory: string, environment: Variables): Promise<string> {
  const installed = await installedCuda(cacheDirectory);
  if (installed) await linkRuntime(installed.folder);
  const set = (environment.LD_LIBRARY_PATH ?? '').split(':').filter((folder) => folder !== '');
  const found = [...(installed?.libraryFolders ?? []), ...cudaFolders(environment)].filter((folder) =>
    existsSync(folder),
  );
  return [...new Set([...(installed ? [installed.folder] : []), ...set, ...found])].join(':');
}
