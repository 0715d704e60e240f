/** Where shared libraries are: the folders in which a process that computes on CUDA looks, in its order, and the system's own list. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { runTool } from './run-tool.js';

/** A library's file, or where it was looked for. */
export interface FoundLibrary {
  readonly name: string;
  readonly file: string | undefined;
  readonly searched: readonly string[];
}

/** The libraries for x64 that `ldconfig -p` lists: files by name. */
export type SystemLibraries = ReadonlyMap<string, string>;

/** The places of ldconfig, which users' PATH may leave out. */
const LDCONFIG = ['/sbin/ldconfig', '/usr/sbin/ldconfig', 'ldconfig'];
/** The folders that the loader knows without its list. */
const SYSTEM_FOLDERS = [
  '/lib/x86_64-linux-gnu',
  '/usr/lib/x86_64-linux-gnu',
  '/lib64',
  '/usr/lib64',
  '/lib',
  '/usr/lib',
];

export async function systemLibraries(): Promise<SystemLibraries> {
  const files = new Map<string, string>();
  const program = LDCONFIG.find((name) => existsSync(name)) ?? 'ldconfig';
  const { output = '' } = await runTool(program, ['-p']);
  for (const line of output.split('\n')) {
    const [, name, kind, file] = /^\s+(\S+) \(([^)]*)\) => (.+)$/.exec(line) ?? [];
    if (name && file && kind!.includes('x86-64') && !files.has(name)) files.set(name, file);
  }
  return files;
}

/** @param folders of LD_LIBRARY_PATH, which come first */
export function findLibrary(name: string, folders: readonly string[], system: SystemLibraries): FoundLibrary {
  const listed = system.get(name);
  const file =
    folders.map((folder) => path.join(folder, name)).find((candidate) => existsSync(candidate)) ??
    listed ??
    SYSTEM_FOLDERS.map((folder) => path.join(folder, name)).find((candidate) => existsSync(candidate));
  return { name, file, searched: [...folders, 'the system’s libraries (ldconfig)'] };
}

/** Libraries of the same name with another version, such as libcublas.so.12 for libcublas.so.13. */
export function otherVersions(name: string, folders: readonly string[], system: SystemLibraries): string[] {
  const [, stem, version] = /^(.+\.so)\.(\d+)$/.exec(name) ?? [];
  if (stem === undefined) return [];
  const near = [-1, -2, 1, 2].map((step) => `${stem}.${Number(version) + step}`);
  return near.flatMap((other) => findLibrary(other, folders, system).file ?? []);
}
