/**
 * The thread that writes for an embedded store, as the store sees it: started with the first write, so that who only reads has none, and ended
 * with the store. It does not keep the program alive unless something is being written.
 */
import { Worker } from 'node:worker_threads';
import { DkvError } from '../../base/errors.js';
import { keep, LmdbGate, leave } from './lmdb-gate.js';
import type { FromWriter, StartWriter, ToWriter, WriterMethod } from './lmdb-messages.js';
import type { LmdbWriter } from './lmdb-writer.js';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: DkvError): void;
}

interface Running {
  readonly worker: Worker;
  readonly ended: Promise<void>;
}

export class LmdbThread {
  readonly #start: Omit<StartWriter, 'gate'>;
  readonly #waiting = new Map<number, Waiting>();
  #running: Running | undefined;
  #nextId = 0;
  #isClosing = false;

  constructor(start: Omit<StartWriter, 'gate'>) {
    this.#start = start;
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** @param spare memory that is the thread's from now on, and nobody's here */
  request<M extends WriterMethod>(
    method: M,
    args: Parameters<LmdbWriter[M]>,
    spare: readonly ArrayBuffer[] = [],
  ): Promise<Awaited<ReturnType<LmdbWriter[M]>>> {
    this.#running ??= this.#started();
    const { worker } = this.#running;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      worker.ref();
      worker.postMessage({ type: 'request', id, method, args } satisfies ToWriter, [...spare]);
    });
  }

  async close(): Promise<void> {
    if (!this.#running) return;
    const { worker, ended } = this.#running;
    // An answer that is still on its way may not let the program end before the thread has.
    this.#isClosing = true;
    worker.ref();
    worker.postMessage({ type: 'close' } satisfies ToWriter);
    await ended;
  }

  #started(): Running {
    const gate = new LmdbGate();
    keep(gate);
    const worker = new Worker(entry(), {
      workerData: { ...this.#start, gate: gate.memory } satisfies StartWriter,
      // What this program was started with (a script to evaluate, say) is not for the thread.
      execArgv: [],
    });
    worker.unref();
    let reason = 'it ended';
    worker.on('message', (message: FromWriter) => {
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (this.#waiting.size === 0 && !this.#isClosing) worker.unref();
      if ('error' in message)
        waiting?.reject(new DkvError(message.error.code ?? 'STORE_UNREACHABLE', message.error.message));
      else waiting?.resolve(message.value);
    });
    worker.on('error', (error) => {
      reason = error.message;
    });
    const ended = new Promise<void>((resolve) => {
      worker.once('exit', () => {
        leave(gate);
        this.#running = undefined;
        this.#isClosing = false;
        const message = `${this.#start.directory}: the thread that writes failed (${reason}). Nothing is known of what it was given last; write again.`;
        for (const { reject } of this.#waiting.values()) reject(new DkvError('STORE_UNREACHABLE', message));
        this.#waiting.clear();
        resolve();
      });
    });
    return { worker, ended };
  }
}

/** The entry of the thread. Run from source, as in the tests, the thread is still the built one, since Node starts no TypeScript in it. */
function entry(): URL {
  const isSource = import.meta.url.endsWith('.ts');
  return new URL(isSource ? '../../../dist/store/backends/lmdb-worker.js' : './lmdb-worker.js', import.meta.url);
}
