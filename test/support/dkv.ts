/** Runs the command line as a user does, in a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ENTRY = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

/** Starts `dkv`; colour and terminal features are off because nothing is a terminal. */
export function startDkv(
  args: readonly string[],
  { cwd, env }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): ChildProcessWithoutNullStreams {
  // The cache is given relative to the project, whatever folder the command runs in.
  const cache = { DKV_CACHE: path.resolve(process.env.DKV_CACHE!) };
  return spawn(process.execPath, [ENTRY, ...args], { cwd, env: { ...process.env, ...cache, ...env } });
}

export async function dkv(
  args: readonly string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const child = startDkv(args, options);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(options.input ?? '');
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
