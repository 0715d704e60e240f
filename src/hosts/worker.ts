/** Entry of a thread that runs batches: the runtime blocks whatever it computes in. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ChosenTokens } from '../engine/engine.js';
import { Executor } from '../engine/executor.js';
import { answersOf, type FromRunner, failureOf, handedOver, type StartRunner, type ToRunner } from './messages.js';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread');

const send = (message: FromRunner, memory: readonly ArrayBuffer[] = []) => port.postMessage(message, memory);
const { model, options } = workerData as StartRunner;

function started(): Executor | undefined {
  try {
    return new Executor(model, options);
  } catch (error) {
    send({ type: 'unstarted', error: failureOf(error) });
    return undefined;
  }
}

type Batch = Extract<ToRunner, { readonly type: 'run' | 'fed' }>;

/** Runs a batch and says how it went. */
async function answer(executor: Executor, batch: Batch, signal: AbortSignal): Promise<void> {
  const { id } = batch;
  try {
    if (batch.type === 'run') {
      const onTokens = (chosen: readonly ChosenTokens[]) => send({ type: 'tokens', id, chosen });
      const { results, computedMs } = await executor.run(batch.work, signal, onTokens);
      send({ type: 'done', id, answers: answersOf(results), computedMs });
      return;
    }
    const { outputs, computedMs } = await executor.runFed(batch.fed, signal);
    const { feeds, memory } = handedOver(outputs);
    send({ type: 'given', id, done: { outputs: feeds, computedMs } }, memory);
  } catch (error) {
    send({ type: 'failed', id, error: failureOf(error) });
  }
}

const executor = started();
if (executor) {
  let inHand = Promise.resolve();
  const stops = new Map<number, AbortController>();
  port.on('message', (message: ToRunner) => {
    if (message.type === 'stop') {
      stops.get(message.id)?.abort();
    } else if (message.type === 'close') {
      // Nothing of the runtime may be cut off in the middle.
      inHand = inHand.then(() => executor.close()).finally(() => port.close());
    } else {
      const stop = new AbortController();
      stops.set(message.id, stop);
      inHand = inHand.then(() => answer(executor, message, stop.signal)).finally(() => stops.delete(message.id));
    }
  });
  send({ type: 'ready', info: executor.info });
} else {
  port.close();
}
