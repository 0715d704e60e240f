/** Programs of the system and of its user that are asked for a few lines: python, nvidia-smi, ldconfig, vulkaninfo. */
import { execFile } from 'node:child_process';
import { messageOf } from '../base/errors.js';

/** None of them computes anything. */
const LIMIT_MS = 20_000;

export interface ToolAnswer {
  /** What it printed, or undefined where it could not be run or said that it failed. */
  readonly output?: string;
  /** Why there is no output, in one line. */
  readonly problem?: string;
}

/** Never throws. */
export function runTool(program: string, args: readonly string[], signal?: AbortSignal): Promise<ToolAnswer> {
  return new Promise((resolve) => {
    const options = { timeout: LIMIT_MS, maxBuffer: 16 * 2 ** 20, ...(signal && { signal }) };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve({ output: stdout });
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const said = `${stderr}`.trim().split('\n').at(-1) || `${stdout}`.trim().split('\n')[0];
      resolve({
        problem: missing ? 'not found' : error.killed ? `no answer in ${LIMIT_MS / 1000} s` : said || messageOf(error),
      });
    });
  });
}
