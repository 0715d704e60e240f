/**
 * Entry of the thread that writes for an embedded store. It opens the database for itself when it is first asked to write, answers each request,
 * and closes the database before it ends.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { DkvError, messageOf } from '../../base/errors.js';
import { fileOf } from './lmdb-folder.js';
import { LmdbGate } from './lmdb-gate.js';
import type { FromWriter, StartWriter, ToWriter } from './lmdb-messages.js';
import { LmdbTables } from './lmdb-tables.js';
import { LmdbWriter } from './lmdb-writer.js';

const port = parentPort;
if (!port) throw new Error('lmdb-worker.ts runs as a worker thread');
const { directory, maxBytes, file, gate: memory } = workerData as StartWriter;
const gate = new LmdbGate(memory);

let tables: LmdbTables | undefined;
let writer: LmdbWriter | undefined;

function opened(): LmdbWriter {
  if (writer) return writer;
  // Before, so that nothing is made where the folder was; after, since it may be replaced in between.
  expectSameFile();
  const opened = gate.pass(() => new LmdbTables(directory, false));
  tables = opened;
  writer = new LmdbWriter(opened, maxBytes, (transaction) => gate.pass(transaction));
  return writer;
}

function expectSameFile(): void {
  if (fileOf(directory) === file) return;
  throw new DkvError(
    'STORE_UNREACHABLE',
    `${directory}: the folder was deleted or replaced while it was open; what is written now would be lost. Open the store again.`,
  );
}

async function answer({ id, method, args }: Extract<ToWriter, { type: 'request' }>): Promise<FromWriter> {
  try {
    const run = opened()[method] as (...args: unknown[]) => unknown;
    return { id, value: await run.apply(writer, [...args]) };
  } catch (error) {
    return { id, error: { code: error instanceof DkvError ? error.code : undefined, message: messageOf(error) } };
  }
}

/** The answers under way, so that the end comes after them. */
const answers = new Set<Promise<void>>();

port.on('message', async (message: ToWriter) => {
  if (message.type === 'request') {
    const answered = answer(message).then((result) => port.postMessage(result));
    answers.add(answered);
    await answered;
    answers.delete(answered);
    return;
  }
  await Promise.all(answers);
  await tables?.close();
  port.close();
});
