/** A side of a benchmark as a running process: one line in, one line out. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Variables } from '../src/base/environment.js';
import { processEnvironment } from '../src/devices/environment.js';
import type { Device } from '../src/engine/engine.js';
import { defaultCacheDirectory } from '../src/model/compiled.js';
import type { Precision } from '../src/model/graph/layout.js';
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

/** A process and the variables that it is started with; this one's when left out. */
export interface Start {
  readonly command: readonly string[];
  readonly environment?: Variables;
}

/** A file of this folder. */
export function scriptPath(name: string): string {
  return path.join(import.meta.dirname, name);
}

/** A script of this folder as a command. @param name without its ending */
export function scriptCommand(name: string, args: readonly string[]): string[] {
  return [process.execPath, '--import', 'tsx', scriptPath(`${name}.ts`), ...args];
}

/** The command of this project as a side. @param file of the workloads @param more options of contestant.ts */
export function ours(precision: string, checkpoint: string, file: string, more: readonly string[] = []): string[] {
  const args = ['--precision', precision, '--checkpoint', checkpoint, '--work', file, ...more];
  return scriptCommand('contestant', args);
}

/** The variables of a process that computes on a device: what CUDA's libraries read there decides whether float32 is float32. */
export async function deviceVariables(device: Device, precision: Precision): Promise<Variables> {
  return (await processEnvironment(device, precision, defaultCacheDirectory())).variables;
}

export class Contestant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor({ command: [program, ...args], environment = process.env }: Start, signal?: AbortSignal) {
    this.#child = spawn(program!, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: environment,
      ...(signal && { signal }),
    });
    // The end of its lines says the same to whoever waits for an answer.
    this.#child.on('error', () => undefined);
    this.#child.stdin!.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Waits until it is ready. @param signal ends the process */
  static async start(start: Start, signal?: AbortSignal): Promise<{ contestant: Contestant } & Ready> {
    const contestant = new Contestant(start, signal);
    return { contestant, ...(await contestant.#answer<Ready>()) };
  }

  run(workload: WorkloadName): Promise<Answer> {
    this.#child.stdin!.write(`${JSON.stringify({ workload })}\n`);
    return this.#answer();
  }

  async stop(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }

  async #answer<T>(): Promise<T> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the process ended');
    return JSON.parse(value) as T;
  }
}
