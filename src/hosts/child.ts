/** Entry of the engine's process. The first message says what to run. */

import type { FromProcess, StartProcess } from './messages.js';
import { type ProcessPort, serveEngine } from './serve.js';

if (!process.send) throw new Error('child.ts runs as a child process');

/** Ends the process at once: without a parent there is nobody to answer, and ending in order would wait for the batch under way. */
const die = () => process.kill(process.pid, 'SIGKILL');

const port: ProcessPort = {
  send: (message: FromProcess) => process.send!(message),
  onMessage: (receive) => process.on('message', receive as (message: unknown) => void),
  close: () => {
    process.off('disconnect', die);
    // Not from within the handler of a message: Node 20 still uses the channel when that returns.
    setImmediate(() => process.connected && process.disconnect());
  },
};

process.once('message', (start: StartProcess) => void serveEngine(port, start));
process.once('disconnect', die);
// Ctrl-C in a terminal reaches the whole group: the parent decides what it means.
process.on('SIGINT', () => undefined);
