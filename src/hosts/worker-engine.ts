/** An engine in a worker thread of this process: the host for the command line and for use as a library. States are shared memory. */
import { Worker } from 'node:worker_threads';
import { DkvError } from '../base/errors.js';
import type { Engine, EngineInfo } from '../engine/engine.js';
import type { ExecutorOptions } from '../engine/executor.js';
import type { CompiledModel } from '../model/compiled.js';
import type { FromEngine, Start } from './messages.js';
import { asError, entry, RemoteEngine, Session } from './remote-engine.js';

/**
 * Starts the thread and waits until it answers.
 * @throws DkvError DEVICE_UNAVAILABLE, ENGINE_FAILED
 */
export async function startWorkerEngine(model: CompiledModel, options: ExecutorOptions): Promise<Engine> {
  const worker = new Worker(entry('worker'), { workerData: { model, options } satisfies Start });
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

class WorkerEngine extends RemoteEngine {
  readonly info: EngineInfo;
  readonly #session: Session;
  readonly #ended: Promise<void>;

  constructor(worker: Worker, info: EngineInfo) {
    super();
    this.info = info;
    const session = new Session({
      send: (message) => worker.postMessage(message),
      ref: () => worker.ref(),
      unref: () => worker.unref(),
    });
    this.#session = session;
    worker.on('message', (message: FromEngine) => session.receive(message));
    worker.on('error', (error) =>
      session.end(new DkvError('ENGINE_FAILED', `The engine's thread failed: ${error.message}`)),
    );
    this.#ended = new Promise((resolve) => {
      worker.once('exit', () => {
        session.end(new DkvError('ENGINE_FAILED', "The engine's thread ended."));
        resolve();
      });
    });
    // An idle engine does not keep the program alive; a request does.
    worker.unref();
  }

  protected async session(): Promise<Session> {
    return this.#session;
  }

  async close(): Promise<void> {
    this.#session.close();
    await this.#ended;
  }
}
