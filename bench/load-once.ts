/** Loads a compiled model on a device, encodes and scores an item, and ends: bench/device-load.ts watches what the process takes meanwhile. */
import { readFile } from 'node:fs/promises';
import { allRows } from '../src/engine/engine.js';
import { Executor, type ExecutorOptions } from '../src/engine/executor.js';
import { QueuedEngine } from '../src/engine/queue.js';
import type { CompiledModel } from '../src/model/compiled.js';

const [file] = process.argv.slice(2);
const { model, options } = JSON.parse(await readFile(file!, 'utf8')) as {
  model: CompiledModel;
  options: ExecutorOptions;
};
const engine = new QueuedEngine([new Executor(model, options)]);
const started = performance.now();
const [states] = await engine.encode([{ tokenIds: Int32Array.of(2, 5, 9) }]);
const encoderSeconds = (performance.now() - started) / 1000;
await engine.score([{ memory: [allRows(states!)], prompt: new Int32Array(0), target: Int32Array.of(5) }]);
const seconds = (performance.now() - started) / 1000;
await engine.close();
console.log(JSON.stringify({ encoderSeconds, seconds }));
