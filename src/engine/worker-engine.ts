/** An engine in a worker thread of this process: the host for the command line and for use as a library. */
import { Worker } from 'node:worker_threads';
import type {
  EncodeItem,
  Engine,
  EngineInfo,
  Generated,
  GenerateItem,
  Probed,
  ProbeLayers,
  RequestOptions,
  ScoreItem,
  States,
} from '../engine.js';
import { DkvError } from '../errors.js';
import type { CompiledModel } from '../model/compile.js';
import type { ExecutorOptions } from './executor.js';
import type { Failure, FromEngine, Method, Start, ToEngine } from './messages.js';

/**
 * Starts the thread and waits until it answers.
 * @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED
 */
export async function startWorkerEngine(model: CompiledModel, options: ExecutorOptions): Promise<Engine> {
  const worker = startWorker({ model, options });
  const info = await new Promise<EngineInfo>((resolve, reject) => {
    worker.once('message', (message: FromEngine) => {
      if (message.type === 'ready') resolve(message.info);
      else if (message.type === 'failed') reject(asError(message.error));
    });
    worker.once('error', (error) =>
      reject(new DkvError('ENGINE_FAILED', `The engine did not start: ${error.message}`)),
    );
  });
  return new WorkerEngine(worker, info);
}

/** Run from source, as the tests do, the thread is still the built one: Node starts no TypeScript in a thread. */
function startWorker(workerData: Start): Worker {
  const entry = import.meta.url.endsWith('.ts') ? '../../dist/engine/worker.js' : './worker.js';
  return new Worker(new URL(entry, import.meta.url), { workerData });
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: DkvError): void;
  readonly onProgress: RequestOptions['onProgress'];
}

class WorkerEngine implements Engine {
  readonly info: EngineInfo;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #ended: Promise<void>;
  #nextId = 0;
  #closed: string | undefined;

  constructor(worker: Worker, info: EngineInfo) {
    this.info = info;
    this.#worker = worker;
    worker.on('message', (message: FromEngine) => this.#receive(message));
    worker.on('error', (error) => this.#end(`The engine's thread failed: ${error.message}`));
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        this.#end("The engine's thread ended.");
        resolve();
      });
    });
    // An idle engine does not keep the program alive; a request does.
    worker.unref();
  }

  encode(items: readonly EncodeItem[], options?: RequestOptions): Promise<States[]> {
    return this.#request('encode', [items], options);
  }

  score(items: readonly ScoreItem[], options?: RequestOptions): Promise<Float32Array[]> {
    return this.#request('score', [items], options);
  }

  generate(items: readonly GenerateItem[], options?: RequestOptions): Promise<Generated[]> {
    return this.#request('generate', [items], options);
  }

  probe(items: readonly EncodeItem[], layers: ProbeLayers, options?: RequestOptions): Promise<Probed[]> {
    return this.#request('probe', [items, layers], options);
  }

  async close(): Promise<void> {
    this.#closed ??= 'The engine was closed.';
    this.#worker.ref();
    this.#send({ type: 'close' });
    await this.#ended;
  }

  async #request<Result>(
    method: Method,
    args: readonly unknown[],
    { signal, onProgress }: RequestOptions = {},
  ): Promise<Result> {
    if (this.#closed !== undefined) throw new DkvError('ENGINE_CLOSED', this.#closed);
    if (signal?.aborted) throw new DkvError('CANCELLED', 'The request was cancelled.');
    const id = this.#nextId++;
    const cancel = () => this.#send({ type: 'cancel', id });
    this.#worker.ref();
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject, onProgress });
        signal?.addEventListener('abort', cancel, { once: true });
        this.#send({ type: 'request', id, method, args });
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
    }
  }

  #send(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromEngine): void {
    if (message.type === 'ready' || message.type === 'failed') return;
    const waiting = this.#waiting.get(message.id);
    if (!waiting) return;
    if (message.type === 'progress') waiting.onProgress?.(message.done, message.total);
    else if (message.type === 'result') waiting.resolve(message.value);
    else if (this.#closed !== undefined && message.error.code === 'CANCELLED') {
      waiting.reject(new DkvError('ENGINE_CLOSED', this.#closed));
    } else waiting.reject(asError(message.error));
  }

  #end(reason: string): void {
    this.#closed ??= reason;
    for (const { reject } of this.#waiting.values()) reject(new DkvError('ENGINE_CLOSED', this.#closed));
  }
}

function asError({ code, message }: Failure): DkvError {
  return new DkvError(code ?? 'ENGINE_FAILED', message);
}
