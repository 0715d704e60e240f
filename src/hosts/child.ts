/** Entry of the engine's process. The first message says what to run. */
import type { Start } from './messages.js';
import { serveEngine } from './serve.js';

if (!process.send) throw new Error('child.ts runs as a child process');

process.once('message', (start) => {
  serveEngine(
    {
      send: (message) => process.send!(message),
      onMessage: (receive) => process.on('message', receive as (message: unknown) => void),
      // Not from within the handler of a message: Node 20 still uses the channel when that returns.
      close: () => setImmediate(() => process.connected && process.disconnect()),
    },
    start as Start,
  );
});

// Without a parent there is nobody to answer. Ctrl-C in a terminal reaches the whole group: the parent decides what it means.
process.once('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
