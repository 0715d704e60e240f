/** Entry of a thread that runs batches: the runtime blocks whatever it computes in. */
import { parentPort, workerData } from 'node:worker_threads';
import { Executor } from '../engine/executor.js';
import { answersOf, type FromRunner, failureOf, type StartRunner, type ToRunner } from './messages.js';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread');

const send = (message: FromRunner) => port.postMessage(message);
const { model, options } = workerData as StartRunner;

function started(): Executor | undefined {
  try {
    return new Executor(model, options);
  } catch (error) {
    send({ type: 'failed', error: failureOf(error) });
    return undefined;
  }
}

const executor = started();
if (executor) {
  let inHand = Promise.resolve();
  let stop = new AbortController();
  port.on('message', (message: ToRunner) => {
    if (message.type === 'stop') {
      stop.abort();
    } else if (message.type === 'close') {
      // Nothing of the runtime may be cut off in the middle.
      inHand = inHand.then(() => executor.close()).finally(() => port.close());
    } else {
      stop = new AbortController();
      inHand = executor.run(message.work, stop.signal).then(
        ({ results, computedMs }) => send({ type: 'done', answers: answersOf(results), computedMs }),
        (error) => send({ type: 'failed', error: failureOf(error) }),
      );
    }
  });
  send({ type: 'ready', info: executor.info });
} else {
  port.close();
}
