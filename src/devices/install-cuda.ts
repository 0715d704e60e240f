/**
 * Puts the CUDA provider into the cache folder, and takes it out again. Files are written to a folder with a name that nothing loads, checked, and moved as a whole: a
 * killed installation leaves the former state, or none, never a half one.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DkvError } from '../base/errors.js';
import { expectSpace, fileError, forgetPartial, makeFolder, partialName } from '../base/files.js';
import { withLock } from '../base/lock.js';
import { onnxRuntimeVersion } from '../engine/onnxruntime.js';
import {
  type CudaRecord,
  cudaFolder,
  cudaPackages,
  type InstalledCuda,
  installedCuda,
  linkRuntime,
  providersFolder,
  RECORD_FILE,
} from './cuda-provider.js';
import { expectedBytes, isX64Library } from './elf.js';
import { openSource, type ProviderSource, type SourceFile } from './provider-sources.js';

export interface InstallOptions {
  readonly cacheDirectory: string;
  /** The source of the provider; see `openSource`. */
  readonly from?: string;
  readonly signal?: AbortSignal;
}

/** What an installation would do. */
export interface InstallPlan {
  readonly version: string;
  readonly source: string;
  /** The folder that it is put into. */
  readonly folder: string;
  readonly files: readonly Pick<SourceFile, 'name' | 'sizeBytes' | 'digest'>[];
  readonly sizeBytes: number;
  /** The folders of CUDA's libraries that are remembered. */
  readonly libraryFolders: readonly string[];
  /** True where a provider of the same version is already installed. */
  readonly replaces: boolean;
}

const ADVICE = 'Set DKV_CACHE to a folder that can be written to and has room.';
const PARTIAL = '.partial';

/**
 * Looks at the source and writes nothing.
 * @throws DkvError DEVICE_UNAVAILABLE where CUDA is not for this system, INPUT_INVALID where the source has no provider, or one of another version
 */
export async function planCudaInstall(options: InstallOptions): Promise<InstallPlan> {
  return withSource(options, async (source, version) => planOf(source, version, options.cacheDirectory));
}

/**
 * Installs the provider, in place of one of the same version.
 * @param onPlan called before anything is written
 * @param onProgress called with bytes that were written
 * @throws DkvError what `planCudaInstall` throws, and DOWNLOAD_DAMAGED where a file is not what the source says it is, DISK_FULL, FILES_UNUSABLE, CANCELLED
 */
export async function installCuda(
  options: InstallOptions & {
    readonly onPlan?: (plan: InstallPlan) => void;
    readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  },
): Promise<InstalledCuda> {
  const { cacheDirectory, signal } = options;
  return withSource(options, async (source, version) => {
    const plan = await planOf(source, version, cacheDirectory);
    options.onPlan?.(plan);
    return locked(cacheDirectory, signal, async (providers) => {
      await expectSpace(providers, plan.sizeBytes, 'the CUDA provider', 'DKV_CACHE');
      const partial = partialName(plan.folder);
      await mkdir(partial);
      try {
        const digests: Record<string, string> = {};
        let done = 0;
        for (const file of source.files) {
          const onBytes = (bytes: number) => {
            done += bytes;
            options.onProgress?.(done, plan.sizeBytes);
          };
          digests[file.name] = await copyChecked(source, file, path.join(partial, file.name), version, onBytes, signal);
        }
        const record: CudaRecord = { version, source: source.name, libraryFolders: [...plan.libraryFolders], digests };
        await writeFile(path.join(partial, RECORD_FILE), `${JSON.stringify(record)}\n`, { flush: true });
        await linkRuntime(partial);
        await replace(partial, plan.folder);
        return { folder: plan.folder, ...record };
      } catch (error) {
        throw signal?.aborted ? cancelled() : fileError(error, partial, ADVICE);
      } finally {
        await discard(partial);
      }
    });
  });
}

/** Removes every installed CUDA provider, of other versions of the runtime too. @returns their folders */
export async function removeCuda(cacheDirectory: string, signal?: AbortSignal): Promise<string[]> {
  const providers = providersFolder(cacheDirectory);
  const names = await readdir(providers).catch(() => []);
  // What a killed installation has left takes as much room, and goes with them.
  if (names.length === 0) return [];
  const folders = names
    .filter((name) => name.startsWith('cuda-') && !name.endsWith(PARTIAL))
    .map((name) => path.join(providers, name));
  return locked(cacheDirectory, signal, async () => {
    for (const folder of folders) {
      // Its name first: what is half removed is not taken for a provider.
      const partial = partialName(folder);
      await rename(folder, partial);
      await discard(partial);
    }
    return folders;
  });
}

async function withSource<T>(
  { from, signal }: InstallOptions,
  use: (source: ProviderSource, version: string) => Promise<T>,
): Promise<T> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new DkvError(
      'DEVICE_UNAVAILABLE',
      `onnxruntime-node computes on CUDA on Linux x64 only; this is ${process.platform}/${process.arch}. "dkv devices" lists what there is here.`,
    );
  }
  const version = onnxRuntimeVersion();
  const source = await openSource(from, version, signal);
  try {
    if (source.version !== undefined && source.version !== version) {
      throw new DkvError(
        'INPUT_INVALID',
        `${source.name} has onnxruntime-gpu ${source.version}; onnxruntime-node here is ${version}, and the two have to be the same. The right one: ${cudaPackages(version)}`,
      );
    }
    return await use(source, version);
  } finally {
    await source.close();
  }
}

async function planOf(source: ProviderSource, version: string, cacheDirectory: string): Promise<InstallPlan> {
  const unfit = [cacheDirectory, ...source.libraryFolders].find((folder) => /[:;]/.test(folder));
  if (unfit !== undefined) {
    throw new DkvError(
      'INPUT_INVALID',
      `${unfit} has ":" or ";" in its name, at which LD_LIBRARY_PATH is cut: a process would not find what is there. ${unfit === cacheDirectory ? 'Set DKV_CACHE to another folder.' : 'Make the Python environment in another folder.'}`,
    );
  }
  return {
    version,
    source: source.name,
    folder: cudaFolder(cacheDirectory, version),
    files: source.files.map(({ name, sizeBytes, digest }) => ({ name, sizeBytes, digest })),
    sizeBytes: source.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    libraryFolders: source.libraryFolders,
    replaces: (await installedCuda(cacheDirectory, version)) !== undefined,
  };
}

/** One installation or removal at a time; what a killed one has left is removed. */
async function locked<T>(
  cacheDirectory: string,
  signal: AbortSignal | undefined,
  work: (providers: string) => Promise<T>,
): Promise<T> {
  const providers = providersFolder(cacheDirectory);
  await makeFolder(providers, ADVICE);
  const file = path.join(cacheDirectory, 'locks', 'providers');
  const withoutLeftovers = async () => {
    for (const name of await readdir(providers)) {
      if (name.endsWith(PARTIAL)) await rm(path.join(providers, name), { recursive: true, force: true });
    }
    return work(providers);
  };
  return withLock(file, withoutLeftovers, { advice: ADVICE, ...(signal && { signal }) });
}

async function replace(partial: string, folder: string): Promise<void> {
  const former = partialName(folder);
  await rename(folder, former).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(partial, folder);
  await discard(former);
}

async function discard(partial: string): Promise<void> {
  await rm(partial, { recursive: true, force: true });
  forgetPartial(partial);
}

/** Writes a file and looks at its bytes as they go by. @returns its SHA-256 in hex */
async function copyChecked(
  source: ProviderSource,
  file: SourceFile,
  target: string,
  version: string,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  const named = new Needle(`\0${version}\0`);
  let head: Buffer | undefined;
  let size = 0;
  async function* looked(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      head ??= chunk;
      hash.update(chunk);
      named.look(chunk);
      size += chunk.length;
      onBytes(chunk.length);
      yield chunk;
    }
  }
  await pipeline(await file.read(), looked, createWriteStream(target, { flags: 'wx', flush: true }), {
    ...(signal && { signal }),
  });
  const digest = hash.digest('hex');
  if (file.digest !== undefined && digest !== file.digest) {
    throw new DkvError(
      'DOWNLOAD_DAMAGED',
      `${source.name}: ${file.name} has the digest ${digest}, its package's RECORD says ${file.digest}. Install the package again.`,
    );
  }
  if (!head || !isX64Library(head)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${source.name}: ${file.name} is no library for Linux on x64. ${cudaPackages(version)}`,
    );
  }
  if (size < expectedBytes(head)) {
    throw new DkvError(
      'DOWNLOAD_DAMAGED',
      `${source.name}: ${file.name} was cut off: it has ${size} bytes of at least ${expectedBytes(head)}. Copy it again.`,
    );
  }
  if (source.version === undefined && file.name.includes('_cuda') && !named.found) {
    throw new DkvError(
      'INPUT_INVALID',
      `${source.name}: ${file.name} does not say that it is of version ${version}, as the provider of that version does. The right one: ${cudaPackages(version)}`,
    );
  }
  return digest;
}

/** Looks for a few bytes in a stream of pieces. */
class Needle {
  readonly #bytes: Buffer;
  #tail: Buffer = Buffer.alloc(0);
  found = false;

  constructor(text: string) {
    this.#bytes = Buffer.from(text, 'latin1');
  }

  look(chunk: Buffer): void {
    if (this.found) return;
    const most = this.#bytes.length - 1;
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, most)]);
    this.found = chunk.includes(this.#bytes) || seam.includes(this.#bytes);
    const whole = chunk.length >= most ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = Buffer.from(whole.subarray(Math.max(0, whole.length - most)));
  }
}

function cancelled(): DkvError {
  return new DkvError('CANCELLED', 'The installation was cancelled; nothing was changed.');
}
