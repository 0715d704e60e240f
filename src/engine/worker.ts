/**
 * The engine's own thread: takes requests one after the other and hands them to an executor. The runtime blocks the thread it
 * computes in, which is why it is not the caller's.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DkvError, messageOf } from '../errors.js';
import { Executor } from './executor.js';
import type { Failure, FromEngine, Start, ToEngine } from './messages.js';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread');
const send = (message: FromEngine) => port.postMessage(message);

function failure(error: unknown): Failure {
  return { code: error instanceof DkvError ? error.code : undefined, message: messageOf(error) };
}

function serve(executor: Executor): void {
  const cancels = new Map<number, AbortController>();
  let queue = Promise.resolve();
  port!.on('message', (message: ToEngine) => {
    if (message.type === 'cancel') {
      cancels.get(message.id)?.abort();
    } else if (message.type === 'close') {
      // Nothing of the runtime may be cut off in the middle: the thread ends by itself when its work is done.
      for (const cancel of cancels.values()) cancel.abort();
      queue = queue.then(() => executor.close()).finally(() => port!.close());
    } else {
      const cancel = new AbortController();
      cancels.set(message.id, cancel);
      queue = queue.then(() => answer(executor, message, cancel.signal)).finally(() => cancels.delete(message.id));
    }
  });
}

async function answer(
  executor: Executor,
  { id, method, args }: Extract<ToEngine, { type: 'request' }>,
  signal: AbortSignal,
): Promise<void> {
  const onProgress = (done: number, total: number) => send({ type: 'progress', id, done, total });
  try {
    const run = executor[method].bind(executor) as (...args: unknown[]) => Promise<unknown>;
    send({ type: 'result', id, value: await run(...args, { signal, onProgress }) });
  } catch (error) {
    send({ type: 'error', id, error: failure(error) });
  }
}

try {
  const { model, options } = workerData as Start;
  const executor = new Executor(model, options);
  serve(executor);
  send({ type: 'ready', info: executor.info });
} catch (error) {
  send({ type: 'failed', error: failure(error) });
}
