/** Entry of the engine's thread. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Start } from './messages.js';
import { serveEngine } from './serve.js';

const port = parentPort;
if (!port) throw new Error('worker.ts runs as a worker thread');

serveEngine(
  {
    send: (message) => port.postMessage(message),
    onMessage: (receive) => port.on('message', receive),
    close: () => port.close(),
  },
  workerData as Start,
);
