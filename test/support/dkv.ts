/** Runs the command line as a user does. */
import { type ChildProcess, type ChildProcessWithoutNullStreams, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

export interface Finished {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Options {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const ENTRY = path.resolve(import.meta.dirname, '../../dist/cli/main.js');
const PROCESS = path.resolve(import.meta.dirname, 'dkv-process.mjs');

/** The cache is given relative to the project, whatever folder the command runs in. */
const cache = () => ({ DKV_CACHE: path.resolve(process.env.DKV_CACHE!) });

/** Starts `dkv`; colour and terminal features are off because nothing is a terminal. */
export function startDkv(
  args: readonly string[],
  { cwd, env }: Omit<Options, 'input'> = {},
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [ENTRY, ...args], { cwd, env: { ...process.env, ...cache(), ...env } });
}

/** Runs `dkv` in a process of its own to its end; `dkv` below is the cheaper one. */
export async function dkvAlone(args: readonly string[], { input, ...options }: Options = {}): Promise<Finished> {
  const child = startDkv(args, options);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  child.stdin.end(input ?? '');
  const [exitCode] = await once(child, 'close');
  return { exitCode, stdout, stderr };
}

/** Processes with `dkv` loaded that have nothing to do. */
const idle: ChildProcess[] = [];

/** Runs a command line in a process that goes on to the next: it is told from one of its own by how that starts and ends alone. */
export async function dkv(
  args: readonly string[],
  { input = '', cwd = process.cwd(), env }: Options = {},
): Promise<Finished> {
  const child = idle.pop() ?? (await startProcess());
  child.send({ args, cwd, env: { ...process.env, ...cache(), ...env }, input });
  const finished = (await answerOf(child)) as Finished;
  idle.push(child);
  return finished;
}

async function startProcess(): Promise<ChildProcess> {
  // Nothing is a terminal; what the process says by itself is of its crash.
  const child = fork(PROCESS, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  await answerOf(child);
  return child;
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([answer]) => answer),
      once(child, 'exit', { signal }).then((how) => {
        throw new Error(`The process that runs command lines ended with ${how.join(' ')}.`);
      }),
    ]);
  } finally {
    settled.abort();
  }
}

export function jsonLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
