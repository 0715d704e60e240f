/** Programs of the system and of its user that are asked for a few lines: python, nvidia-smi, ldconfig, vulkaninfo. */
import { execFile } from 'node:child_process';
import type { Variables } from '../base/environment.js';
import { messageOf } from '../base/errors.js';

/** The time limit of a tool. None of them computes anything. */
const LIMIT_MS = 20_000;

export interface ToolAnswer {
  /** The text that it printed; undefined where it could not be run or said that it failed. */
  readonly output?: string;
  /** The reason why there is no output, in one line. */
  readonly problem?: string;
}

export interface ToolOptions {
  readonly signal?: AbortSignal | undefined;
  /** The variables that it is run with; this process's by default. */
  readonly environment?: Variables;
  readonly limitMs?: number;
}

/**
 * Runs a tool. It never throws, and it does not wait for a program that does not end. nvidia-smi is one where the driver hangs, even when it is
 * killed.
 */
export function runTool(
  program: string,
  args: readonly string[],
  { signal, environment = process.env, limitMs = LIMIT_MS }: ToolOptions = {},
): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const options = { maxBuffer: 16 * 2 ** 20, env: environment as NodeJS.ProcessEnv, ...(signal && { signal }) };
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      clearTimeout(timer);
      if (!error) return resolve({ output: stdout });
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const said = `${stderr}`.trim().split('\n').at(-1) || `${stdout}`.trim().split('\n')[0];
      resolve({ problem: missing ? 'not found' : said || messageOf(error) });
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
      child.unref();
      resolve({ problem: `no answer in ${limitMs / 1000} s` });
    }, limitMs);
  });
}
