/** What stands in a Python environment, without importing any of it. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { DkvError } from '../base/errors.js';
import { tryParse } from '../base/parse.js';
import { runTool } from './run-tool.js';

const SCRIPT =
  'import json, sys; print(json.dumps({"path": sys.path, "prefix": sys.prefix, "version": sys.version.split()[0]}))';

const answerSchema = z.object({ path: z.array(z.string()), prefix: z.string(), version: z.string() });

export interface PythonEnvironment {
  /** Its name in messages. */
  readonly name: string;
  /** Folders of packages, in the order in which they are imported from. */
  readonly folders: readonly string[];
  readonly prefix: string | undefined;
}

/** @throws DkvError INPUT_INVALID where it does not run, or is no Python */
export async function askPython(executable: string, signal?: AbortSignal): Promise<PythonEnvironment> {
  const { output, problem } = await runTool(executable, ['-c', SCRIPT], { signal });
  const answer = output === undefined ? undefined : tryParse(answerSchema, jsonOf(output));
  if (!answer?.success) {
    throw new DkvError(
      'INPUT_INVALID',
      `${executable} is no Python that runs here: ${problem ?? 'it does not answer as Python does'}.`,
    );
  }
  const folders = answer.data.path.filter((folder) => folder !== '' && !folder.endsWith('.zip'));
  return { name: executable, folders, prefix: answer.data.prefix };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Folders in which NVIDIA's packages, or conda, put the libraries of CUDA. */
export async function nvidiaFolders({
  folders,
  prefix,
}: Pick<PythonEnvironment, 'folders' | 'prefix'>): Promise<string[]> {
  const found: string[] = [];
  for (const folder of folders) {
    const nvidia = path.join(folder, 'nvidia');
    for (const name of (await readdir(nvidia).catch(() => [])).sort()) {
      const candidate = path.join(nvidia, name, 'lib');
      if ((await readdir(candidate).catch(() => [])).some((file) => /\.so(\.|$)/.test(file))) found.push(candidate);
    }
  }
  const own = prefix === undefined ? undefined : path.join(prefix, 'lib');
  if (own !== undefined && (await readdir(own).catch(() => [])).some((file) => /^libcudart\.so\.\d+$/.test(file)))
    found.push(own);
  return [...new Set(found)];
}

/** The folder of a package's description (`name-version.dist-info`), of the first folder that has one. */
export async function distInfoOf(folders: readonly string[], name: string): Promise<string | undefined> {
  const start = `${name.replaceAll('-', '_')}-`;
  for (const folder of folders) {
    const entries = await readdir(folder).catch(() => []);
    const entry = entries.find((file) => file.startsWith(start) && file.endsWith('.dist-info'));
    if (entry !== undefined && existsSync(path.join(folder, entry, 'METADATA'))) return path.join(folder, entry);
  }
  return undefined;
}
