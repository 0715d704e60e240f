/**
 * The engine's side of a host: takes requests one after the other and hands them to an executor. Runs in a thread (worker.ts) or a
 * process (child.ts) of its own, because the runtime blocks whatever it computes in.
 */

import { DkvError, messageOf } from '../base/errors.js';
import { ItemsFailedError } from '../engine/engine.js';
import { Executor } from '../engine/executor.js';
import type { Failure, FromEngine, Start, ToEngine } from './messages.js';

/** The way to the host. */
export interface Port {
  send(message: FromEngine): void;
  onMessage(receive: (message: ToEngine) => void): void;
  /** After this the thread or process ends by itself. */
  close(): void;
}

/** Answers until it is told to close. What goes wrong is answered too, never thrown. */
export function serveEngine(port: Port, start: Start): void {
  let executor: Executor;
  try {
    executor = new Executor(start.model, start.options);
  } catch (error) {
    port.send({ type: 'failed', error: failure(error) });
    port.close();
    return;
  }
  const cancels = new Map<number, AbortController>();
  let queue = Promise.resolve();
  port.onMessage((message) => {
    if (message.type === 'cancel') {
      cancels.get(message.id)?.abort();
    } else if (message.type === 'close') {
      // Nothing of the runtime may be cut off in the middle: the end comes after the batch in hand.
      for (const cancel of cancels.values()) cancel.abort();
      queue = queue.then(() => executor.close()).finally(() => port.close());
    } else {
      const cancel = new AbortController();
      cancels.set(message.id, cancel);
      queue = queue
        .then(() => answer(executor, port, message, cancel.signal))
        .finally(() => cancels.delete(message.id));
    }
  });
  port.send({ type: 'ready', info: executor.info });
}

async function answer(
  executor: Executor,
  port: Port,
  { id, method, args }: Extract<ToEngine, { type: 'request' }>,
  signal: AbortSignal,
): Promise<void> {
  port.send({ type: 'started', id });
  const onProgress = (done: number, total: number) => port.send({ type: 'progress', id, done, total });
  try {
    const run = executor[method].bind(executor) as (...args: unknown[]) => Promise<unknown>;
    port.send({ type: 'result', id, value: await run(...args, { signal, onProgress }) });
  } catch (error) {
    port.send({ type: 'error', id, error: failure(error) });
  }
}

function failure(error: unknown): Failure {
  return {
    code: error instanceof DkvError ? error.code : undefined,
    message: messageOf(error),
    ...(error instanceof ItemsFailedError && {
      items: { errors: [...error.errors].map(([item, own]) => [item, failure(own)]), results: error.results },
    }),
  };
}
