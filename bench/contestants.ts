/** A side of a benchmark as a running process: one line in, one line out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { WorkloadName } from './workloads.js';

interface Ready {
  /** What it took to load and to score for the first time. */
  readonly startSeconds: number;
  /** Versions of what it runs on. */
  readonly about: string;
}

export interface Answer {
  readonly seconds: number;
  /** A mean that another side's can be held against. */
  readonly check: number;
  /** Of this workload alone. */
  readonly peakBytes: number;
}

/** The command of this project as a side. @param file of the workloads */
export function ours(precision: string, checkpoint: string, file: string, workers = 1): string[] {
  const script = path.join(import.meta.dirname, 'contestant.ts');
  return [process.execPath, '--import', 'tsx', script, precision, checkpoint, file, String(workers)];
}

export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor([program, ...args]: readonly string[]) {
    this.#child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Waits until it is ready. */
  static async start(command: readonly string[]): Promise<{ contestant: Contestant } & Ready> {
    const contestant = new Contestant(command);
    return { contestant, ...(await contestant.#answer<Ready>()) };
  }

  run(workload: WorkloadName): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify({ workload })}\n`);
    return this.#answer();
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process ended');
    return JSON.parse(value) as T;
  }
}
