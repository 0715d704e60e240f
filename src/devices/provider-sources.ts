/**
 * Where the files of the CUDA provider are taken from: the `onnxruntime-gpu` of a Python environment, a wheel, or a folder that holds them. What the source says of
 * itself (its version, digests of its files) comes with them; nothing is checked here.
 */
import { existsSync, statSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { DkvError } from '../base/errors.js';
import { readTextIfPresent } from '../base/files.js';
import { CUDA_PROVIDER_FILES } from '../engine/cuda-library.js';
import { cudaPackages } from './cuda-provider.js';
import { askPython, distInfoOf, nvidiaFolders, type PythonEnvironment } from './python.js';
import { openWheel } from './wheel.js';

/** One file of a provider. */
export interface SourceFile {
  readonly name: string;
  readonly sizeBytes: number;
  /** The file's SHA-256 in hex, where the source says it. */
  readonly digest: string | undefined;
  read(): Promise<Readable>;
}

export interface ProviderSource {
  /** The source's name, for messages. */
  readonly name: string;
  /** The package's version, where the source says it. */
  readonly version: string | undefined;
  readonly files: readonly SourceFile[];
  /** The folders with libraries of CUDA that came with it. */
  readonly libraryFolders: readonly string[];
  close(): Promise<void>;
}

const PACKAGE = 'onnxruntime-gpu';
/** The folder in which the package keeps the files, below the folder of packages. */
const INSIDE = 'onnxruntime/capi';

/**
 * @param from a Python (executable, or the folder of an environment), a wheel, or a folder with the files; when left out the Python that is active
 * @throws DkvError INPUT_INVALID where there is no provider
 */
export async function openSource(
  from: string | undefined,
  wanted: string,
  signal?: AbortSignal,
): Promise<ProviderSource> {
  if (from === undefined) return ofActivePython(wanted, signal);
  const found = await stat(from).catch(() => undefined);
  if (!found && from.includes('/'))
    throw new DkvError('INPUT_INVALID', `--from ${from}: there is no such file or folder.`);
  if (found?.isDirectory()) return ofFolder(path.resolve(from), wanted, signal);
  if (from.endsWith('.whl')) return ofWheel(path.resolve(from), wanted);
  return ofEnvironment(await askPython(found ? path.resolve(from) : from, signal), wanted);
}

async function ofActivePython(wanted: string, signal?: AbortSignal): Promise<ProviderSource> {
  const virtual = process.env.VIRTUAL_ENV ?? process.env.CONDA_PREFIX;
  const asked = [...(virtual ? [path.join(virtual, 'bin', 'python')] : []), 'python3', 'python'];
  for (const executable of asked) {
    const environment = await askPython(executable, signal).catch(() => undefined);
    if (environment && (await distInfoOf(environment.folders, PACKAGE))) return ofEnvironment(environment, wanted);
  }
  throw new DkvError(
    'INPUT_INVALID',
    `No Python that was asked (${asked.join(', ')}) has ${PACKAGE}. Install it in one (${cudaPackages(wanted)}), or name a Python, a wheel or a folder: --from PATH.`,
  );
}

async function ofFolder(folder: string, wanted: string, signal?: AbortSignal): Promise<ProviderSource> {
  if (CUDA_PROVIDER_FILES.every((name) => existsSync(path.join(folder, name)))) {
    // It may be the package's own folder.
    const packages = path.dirname(path.dirname(folder));
    return ofFiles(folder, folder, path.join(folder) === path.join(packages, INSIDE) ? [packages] : [], undefined);
  }
  const python = ['python', 'python3'].map((name) => path.join(folder, 'bin', name)).find((file) => existsSync(file));
  if (python !== undefined) return ofEnvironment(await askPython(python, signal), wanted);
  if (existsSync(path.join(folder, INSIDE)))
    return ofEnvironment({ name: folder, folders: [folder], prefix: undefined }, wanted);
  throw new DkvError(
    'INPUT_INVALID',
    `${folder} holds neither ${CUDA_PROVIDER_FILES.join(' and ')}, nor a Python environment. Name one that does, or a wheel of ${PACKAGE} ${wanted}.`,
  );
}

async function ofEnvironment(environment: PythonEnvironment, wanted: string): Promise<ProviderSource> {
  const info = await distInfoOf(environment.folders, PACKAGE);
  if (info === undefined) {
    const cpu = await distInfoOf(environment.folders, 'onnxruntime');
    throw new DkvError(
      'INPUT_INVALID',
      `${environment.name} has no ${PACKAGE}${cpu ? ' (onnxruntime alone has no CUDA provider)' : ''}. Install it there: ${cudaPackages(wanted)}`,
    );
  }
  return ofFiles(path.join(path.dirname(info), INSIDE), environment.name, environment.folders, environment.prefix);
}

async function ofFiles(
  folder: string,
  name: string,
  packages: readonly string[],
  prefix: string | undefined,
): Promise<ProviderSource> {
  const info = await distInfoOf(packages, PACKAGE);
  const record = info === undefined ? undefined : await readTextIfPresent(path.join(info, 'RECORD'));
  const missing = CUDA_PROVIDER_FILES.find((file) => !existsSync(path.join(folder, file)));
  if (missing !== undefined)
    throw new DkvError('INPUT_INVALID', `${name}: ${missing} is not in ${folder}. Is the package whole?`);
  return {
    name,
    version: info === undefined ? undefined : versionOf(await readFile(path.join(info, 'METADATA'), 'utf8')),
    files: CUDA_PROVIDER_FILES.map((file) => ({
      name: file,
      sizeBytes: statSync(path.join(folder, file)).size,
      digest: record === undefined ? undefined : digestOf(record, `${INSIDE}/${file}`),
      read: async () => (await open(path.join(folder, file))).createReadStream(),
    })),
    libraryFolders: await nvidiaFolders({ folders: packages, prefix }),
    close: async () => undefined,
  };
}

async function ofWheel(file: string, wanted: string): Promise<ProviderSource> {
  const wheel = await openWheel(file);
  try {
    const [metadata, record] = await Promise.all(
      ['METADATA', 'RECORD'].map(async (name) => wheel.textOf((member) => member.endsWith(`.dist-info/${name}`))),
    );
    const files = CUDA_PROVIDER_FILES.map((name): SourceFile => {
      const member = wheel.find(`${INSIDE}/${name}`);
      if (!member) {
        throw new DkvError(
          'INPUT_INVALID',
          `${file} holds no ${INSIDE}/${name}: it is no wheel of ${PACKAGE} for Linux. Fetch one: pip download --no-deps ${PACKAGE}==${wanted}`,
        );
      }
      const digest = record === undefined ? undefined : digestOf(record, `${INSIDE}/${name}`);
      return { name, sizeBytes: member.sizeBytes, digest, read: member.read };
    });
    return {
      name: file,
      version: metadata === undefined ? undefined : versionOf(metadata),
      files,
      libraryFolders: [],
      close: () => wheel.close(),
    };
  } catch (error) {
    await wheel.close();
    throw error;
  }
}

/** Reads the version from a package's METADATA. The part after `+` names a build. */
function versionOf(metadata: string): string | undefined {
  return /^Version:\s*([^\s+]+)/m.exec(metadata)?.[1];
}

/** Reads a digest from a package's RECORD (`path,sha256=...,size`, the digest in base64 for URLs) and gives it in hex. */
function digestOf(record: string, member: string): string | undefined {
  const line = record.split(/\r?\n/).find((one) => one.startsWith(`${member},`));
  const encoded = /,sha256=([\w-]+)/.exec(line ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64url').toString('hex');
}
