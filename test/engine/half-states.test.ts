/** States that leave a device as float16: a store keeps the bits that it keeps of float32 ones. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/base/float16.js';
import { type EncodeItem, type Engine, eachOf, type States } from '../../src/engine/engine.js';
import { Executor } from '../../src/engine/executor.js';
import { onnxRuntime } from '../../src/engine/onnxruntime.js';
import { QueuedEngine } from '../../src/engine/queue.js';
import type { HalfStates } from '../../src/engine/runner.js';
import { widened } from '../../src/hosts/half-states.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { CompiledModel } from '../../src/model/compiled.js';
import { GraphBuilder } from '../../src/model/graph/builder.js';
import { BUILT_IN_MODEL, loadModel } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { openStore } from '../../src/store/open.js';
import { encodeRecord } from '../../src/store/records/record.js';
import { editCheckpoint } from '../support/edited-checkpoint.js';
import { referenceFixture } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';

const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-half-states-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

async function compiled(directory: string, cacheDirectory = path.join(folder, 'cache')): Promise<CompiledModel> {
  const checkpoint = await openCheckpoint(directory);
  return compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });
}

const model = await compiled(referenceFixture('several-kv-heads'));
const items: EncodeItem[] = [1, 9, 12, 16].map((length) => ({
  tokenIds: Int32Array.from({ length }, (_, i) => 3 + ((i * 31 + length) % 290)),
}));

/** What CUDA's graph of a model gives for a batch, computed by the CPU provider. */
async function fromDevicesGraph(of: CompiledModel, batch: readonly EncodeItem[]) {
  const executor = new Executor(of, { device: 'cpu', target: { device: 'cuda', arithmetic: 'float32' }, threads: 1 });
  const encoded = async (asHalves: boolean) => {
    const work = { method: 'encode', items: batch, rows: 16, memoryRows: 0, asHalves } as const;
    return (await executor.run(work, new AbortController().signal)).results;
  };
  const results = { states: await encoded(false), halves: await encoded(true) };
  await executor.close();
  return results;
}

/** An engine that sends states as one in a process of its own does on a device. */
function sendingHalves(of: CompiledModel, asked: unknown[] = []): Engine {
  const queue = new QueuedEngine([new Executor(of, { device: 'cpu', threads: 1 })]);
  return {
    info: queue.info,
    score: (some, options) => queue.score(some, options),
    scoreTempered: (some, options) => queue.scoreTempered(some, options),
    logits: (some, options) => queue.logits(some, options),
    generate: (some, options) => queue.generate(some, options),
    probe: (some, layers, options) => queue.probe(some, layers, options),
    load: () => queue.load(),
    close: () => queue.close(),
    encode: (some, options = {}) => {
      asked.push(options.statesAs);
      return widened(() => queue.encode(some, { ...options, asHalves: true }));
    },
  };
}

describe('the graph of a device', () => {
  it('rounds states to the bits that a store makes of them', async () => {
    const { states, halves } = await fromDevicesGraph(model, items);
    for (const i of items.keys()) {
      const { rows, width, data } = states[i] as States;
      const own = halves[i] as HalfStates;
      expect({ rows: own.rows, width: own.width }).toEqual({ rows: items[i]!.tokenIds.length, width });
      const record = recordOf(1, { rows, width, precision: 'float16' });
      const stored = (numbers: Float32Array) =>
        encodeRecord('0'.repeat(64), { ...record, states: { rows, width, data: numbers } });
      expect(stored(fromFloat16(own.halves)).equals(stored(data))).toBe(true);
    }
  });

  it('rounds to nearest and ties to even, small numbers and large ones too', async () => {
    const numbers = Float32Array.from(
      [0, 1, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -14, 2 ** -24, 2 ** -25, 3 * 2 ** -25, 2 ** -26, 1e-40].flatMap(
        (x) => [x, x * (1 + 2 ** -20), x * (1 - 2 ** -20)],
      ),
    );
    const all = Float32Array.from([...numbers, 65504, 65519].flatMap((x) => [x, -x]));
    const graph = new GraphBuilder('cast');
    graph.output('y', graph.cast(graph.input('x', 'float32', ['n']), 'float16'), 'float16', ['n']);
    const session = await onnxRuntime().InferenceSession.create(await graph.toBytes());
    const { y } = await session.run({ x: new (onnxRuntime().Tensor)('float32', all, [all.length]) });
    await session.release();
    const { buffer, byteOffset, length } = y!.data as Uint16Array;
    const expected = toFloat16(all, (value) => {
      throw new Error(`${value}`);
    });
    expect(new Uint16Array(buffer, byteOffset, length)).toEqual(expected);
  });

  it('names what is beyond float16, rounded by the device or by the host', async () => {
    const directory = path.join(folder, 'large');
    await editCheckpoint(referenceFixture('several-kv-heads'), directory, {
      'model.encoder.text_model.norm.weight': (values) => values.fill(1e5),
    });
    const large = await compiled(directory);
    const { states, halves } = await fromDevicesGraph(large, items);
    expect(states[0]).toHaveProperty('data');
    const code = 'NUMBERS_NOT_FINITE';
    const where = /asked for as float16, holds a number beyond 65504 \(row \d+, number \d+\).* store them as float32/;
    expect(halves[0]).toMatchObject({ code, message: expect.stringMatching(where) });
    const engine = sendingHalves(large);
    const found = await eachOf(items, (some) => engine.encode(some));
    await engine.close();
    const said = /asked for as float16, holds -?\d+(\.\d+)? \(row \d+, number \d+\).* store them as float32/;
    for (const own of found) expect(own).toMatchObject({ code, message: expect.stringMatching(said) });
  });
});

it('primes a store with the same bits, whether states were sent as float32 or as float16', async () => {
  const usual = await loadModel();
  const asked: unknown[] = [];
  const builtIn = await compiled(BUILT_IN_MODEL, process.env.DKV_CACHE);
  const halving = { ...usual, engine: sendingHalves(builtIn, asked) };
  const documents = ['lamp', 'desk', 'tent'].map((id) => ({ id, text: `The ${id} costs 24 euros.` }));
  const records: unknown[] = [];
  for (const own of [usual, halving]) {
    const store = await openStore('memory:');
    await prime(own, store, documents, { statesPrecision: 'float16', surrogates: ['doc_kw'] });
    for (const { id } of documents) {
      const { variants } = (await store.entry(id))!;
      for (const key of Object.values(variants)) records.push([key, (await store.get(key))!.states]);
    }
    await store.close();
  }
  expect(records).toHaveLength(12);
  expect(records.slice(6)).toEqual(records.slice(0, 6));
  expect(asked).toEqual(['float16']);
  await halving.engine.close();
  await usual.close();
});
