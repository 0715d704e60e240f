/**
 * What states cost between the encoder and the decoder: they leave the device, are cut and looked at, wait in memory, are put together for the decoder and go
 * back. The copies are those of a graph that hands on what it is given.
 *
 *     npx tsx bench/round-trip.ts [--device cuda] [--rows 16384] [--width 640] [--length 128]
 *
 * The last line of output is JSON, in milliseconds a batch.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { firstNotFinite } from '../src/base/finite.js';
import { toFloat16 } from '../src/base/float16.js';
import { allRows } from '../src/engine/engine.js';
import { onnxRuntime } from '../src/engine/onnxruntime.js';
import { cutRows, float32, memoryFeeds } from '../src/engine/tensors.js';
import { GraphBuilder } from '../src/model/graph/builder.js';
import { median } from '../src/stats/describe.js';
import { randomStates } from './records.js';
import { table } from './sections.js';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    rows: { type: 'string', default: '16384' },
    width: { type: 'string', default: '640' },
    length: { type: 'string', default: '128' },
  },
});
const [rows, width, length] = [options.rows, options.width, options.length].map(Number) as [number, number, number];
const items = Math.max(1, Math.floor(rows / length));

const ROUNDS = 7;
const times: Record<string, number> = {};

async function time(what: string, of: () => unknown): Promise<void> {
  const taken = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const started = performance.now();
    await of();
    // The first one makes things ready.
    if (round > 0) taken.push(performance.now() - started);
  }
  times[what] = median(taken);
}

const states = randomStates(items * length, width, 1);
const batch = float32(states.data, [items, length, width]);

const x = new (onnxRuntime().Tensor)('float32', states.data, batch.dims);

const graph = new GraphBuilder('copy');
graph.output('y', graph.input('x', 'float32', ['items', 'rows', width]), 'float32', ['items', 'rows', width]);
const session = await onnxRuntime().InferenceSession.create(await graph.toBytes(), {
  executionProviders: options.device === 'cpu' ? ['cpu'] : [options.device, 'cpu'],
  logSeverityLevel: 3,
});
await time('copied to the device and back', () => session.run({ x }));
await session.release();

const echo = spawn(process.execPath, ['-e', "process.on('message', (message) => process.send(message))"], {
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  serialization: 'advanced',
});
await time("through the pipe of an engine's process and back", async () => {
  const answered = once(echo, 'message');
  echo.send(states);
  await answered;
});
echo.disconnect();

const lengths = Array.from({ length: items }, () => length);
const cut = cutRows(batch, lengths, true);
await time('cut, into memory that threads share', () => cutRows(batch, lengths, true));
await time('looked at for what is not finite', () => cut.map(({ data }) => firstNotFinite(data)));
const memories = cut.map((own) => [allRows(own)]);
await time('put together for the decoder', () => memoryFeeds(memories, length, width));
await time('rounded to float16, where they are stored so', () => {
  toFloat16(states.data, () => {
    throw new Error('a number that float16 does not hold');
  });
});

const megabytes = (states.data.byteLength / 1e6).toFixed(0);
console.log(`${items} x ${length} rows of ${width} numbers, ${megabytes} MB, on ${options.device}\n`);
console.log(
  table(
    ['', 'ms a batch'],
    Object.entries(times).map(([what, ms]) => [what, ms.toFixed(1)]),
  ).join('\n'),
);
console.log(JSON.stringify({ device: options.device, items, length, width, times }));
