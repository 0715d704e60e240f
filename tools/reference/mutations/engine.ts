/** The queue in front of what computes, and the hosts: who is served when, with what, and what of it one failure may take. */
import type { Mutation } from './mutation.js';

const BATCHING = 'src/engine/batching.ts';
const QUEUE = 'src/engine/queue.ts';
const READER = 'src/engine/states-reader.ts';
const BATCHING_TEST = 'test/engine/batching.test.ts';
const QUEUE_TEST = 'test/engine/queue.test.ts';

export const ENGINE: readonly Mutation[] = [
  {
    name: 'bulk requests come in the order of arrival',
    file: BATCHING,
    from: 'PRIORITIES.map((priority) => waiting.findIndex((own) => own.priority === priority)).find(',
    to: '[0].map(() => waiting.length - 1).find(',
    tests: BATCHING_TEST,
  },
  {
    name: 'a batch takes as long as it likes',
    file: BATCHING,
    from: '    conditions.mostRows(kind),\n',
    to: '',
    tests: BATCHING_TEST,
  },
  {
    name: "rows that the host brings go to a batch's first item",
    file: 'src/engine/token-rows.ts',
    from: '(b * rows + i) * width',
    to: 'i * width',
    tests: 'test/engine/token-rows.test.ts',
  },
  {
    name: 'the memory of scores bounds no batch',
    file: BATCHING,
    from: '    mostByMemory(shape, conditions.heads, conditions.attentionBytes) * costOf(shape),\n',
    to: '',
    tests: BATCHING_TEST,
  },
  {
    name: "what the decoder reads counts with the encoder's heads",
    file: BATCHING,
    from: 'memoryRows > 0 ? decoder : encoder',
    to: 'encoder',
    tests: BATCHING_TEST,
  },
  {
    name: 'the first free runner gets all',
    file: BATCHING,
    from: '    rows / conditions.freeRunners,\n',
    to: '    rows,\n',
    tests: BATCHING_TEST,
  },
  {
    name: 'a lone caller waits too',
    file: BATCHING,
    from: 'sharers.length < conditions.company(kind, priority)',
    to: 'sharers.length <= conditions.company(kind, priority)',
    tests: BATCHING_TEST,
  },
  {
    name: 'items of a request are taken as they stand',
    file: 'src/engine/ready-items.ts',
    from: 'b.memory - a.memory || b.place - a.place',
    to: 'b.place - a.place',
    tests: BATCHING_TEST,
  },
  {
    name: 'a deadline ends what has begun',
    file: QUEUE,
    from: 'if (!request.isStarted) {',
    to: 'if (request) {',
    tests: QUEUE_TEST,
  },
  {
    name: 'a failed batch fails all who share it',
    file: QUEUE,
    from: 'const isShared = parts.length > 1 &&',
    to: 'const isShared = parts.length > 9999 &&',
    tests: QUEUE_TEST,
  },
  {
    name: 'results go to the first of a batch',
    file: QUEUE,
    from: 'const own = results.slice(at, at + places.length);',
    to: 'const own = results.slice(0, places.length);',
    tests: QUEUE_TEST,
  },
  {
    name: 'a text is stopped that somebody waits for',
    file: QUEUE,
    from: 'if (parts.every((part) => part.request.isSettled)) stop.abort();',
    to: 'if (parts.some((part) => part.request.isSettled)) stop.abort();',
    tests: QUEUE_TEST,
  },
  {
    name: 'states are held without a bound',
    file: READER,
    from: 'const room = HELD_BYTES - lane.heldBytes;',
    to: 'const room = HELD_BYTES;',
    tests: QUEUE_TEST,
  },
  {
    name: "states of another model's fingerprints are shared",
    file: READER,
    from: 'return JSON.stringify([key, fingerprints]);',
    to: 'return JSON.stringify([key]);',
    tests: QUEUE_TEST,
  },
  {
    name: 'what is read for one class takes the room of the other',
    file: READER,
    from: 'lane.heldBytes += byteLength;',
    to: 'for (const priority of PRIORITIES) this.#lanes[priority].heldBytes += byteLength;',
    tests: QUEUE_TEST,
  },
  {
    name: 'requests that a dead process had not begun fail with it',
    file: 'src/hosts/child-session.ts',
    from: 'reject(started || this.#isClosing ? this.#ended : new Unstarted(true));',
    to: 'reject(this.#ended);',
    tests: 'test/engine/stored-states.test.ts',
    only: 'after a kill',
  },
  {
    name: "the engine's process asks its host for what lies at an address",
    file: 'src/hosts/child-session.ts',
    from: 'address: addressToSend(source.address) });',
    to: 'address: undefined });',
    tests: 'test/engine/stored-states.test.ts',
    only: 'child process',
  },
];
