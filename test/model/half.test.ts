/**
 * Products in 16 bits, as devices compute them. The CPU provider has none; test/support/half-graphs.ts spells out what a device rounds, so that both the
 * digits that are lost and the numbers that leave float16's range are those of a device that sums as float32.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { TensorProto_DataType as DataType } from 'onnx-buf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DkvError } from '../../src/base/errors.js';
import { allRows, type Engine, eachOf, type States } from '../../src/engine/engine.js';
import { onnxRuntime } from '../../src/engine/onnxruntime.js';
import { loadGraph } from '../../src/engine/runtime.js';
import { int64 } from '../../src/engine/tensors.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { type CompiledModel, graphOver } from '../../src/model/compiled.js';
import { shapeOf } from '../../src/model/families/families.js';
import type { BuildGraph } from '../../src/model/graph/blocks.js';
import { buildScoreEnd } from '../../src/model/graph/decoder.js';
import { STATES_FLOAT16 } from '../../src/model/graph/encoder.js';
import { tokenLogits } from '../../src/model/graph/head.js';
import { CPU, type HalfType } from '../../src/model/graph/target.js';
import { mean } from '../../src/stats/describe.js';
import { type Edit, editCheckpoint } from '../support/edited-checkpoint.js';
import { engineHere } from '../support/engine-here.js';
import { temporaryFolder } from '../support/fixtures.js';
import { nodesOf, type SeenNode, spelledOut, spelledOutModel } from '../support/half-graphs.js';
import { BUILDS, type BuiltGraph, builtGraph } from '../support/placement.js';

const FIXTURES = path.resolve(import.meta.dirname, '../fixtures');
const NAMES = [
  'reference/one-kv-head',
  'reference/several-kv-heads',
  'reference-t5/gated-untied',
  'reference-t5/relu-tied',
  'reference-bart/plain',
];
const TYPES = ['float16', 'bfloat16'] as const;
/** The graphs that devices load: WebGPU has no bfloat16. */
const FORMS = [
  ['float16', 'cuda'],
  ['float16', 'webgpu'],
  ['bfloat16', 'cuda'],
] as const;

let cacheDirectory: string;
beforeAll(async () => {
  cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-half-'));
});
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

async function compiled(folder: string, precision: HalfType | 'float32'): Promise<CompiledModel> {
  return compileModel(await openCheckpoint(folder), { precision, embeddingScale: 'exact', cacheDirectory });
}

interface Case {
  readonly ids: number[];
  readonly visible: number[];
  readonly prompt: number[];
  readonly target?: number[];
}

/** The cases that tools/reference/make_half_fixture.py computes. */
async function casesOf(name: string): Promise<Required<Case>[]> {
  const { cases } = JSON.parse(await readFile(path.join(FIXTURES, name, 'cases.json'), 'utf8'));
  return cases.filter(
    (own: Case) =>
      own.target && own.visible.length > 0 && !['positions', 'pair_mask', 'before'].some((key) => key in own),
  );
}

async function answers(engine: Engine, cases: readonly Required<Case>[]) {
  const states = await engine.encode(cases.map(({ ids }) => ({ tokenIds: Int32Array.from(ids) })));
  const nlls = await engine.score(
    cases.map(({ visible, prompt, target }, i) => ({
      memory: visible.map((start) => ({ states: states[i]!, start, end: start + 1 })),
      prompt: Int32Array.from(prompt),
      target: Int32Array.from(target),
    })),
  );
  await engine.close();
  return { states: states.flatMap(({ data }) => [...data]), nlls: nlls.flatMap((own) => [...own]) };
}

/** What tools/reference/make_half_fixture.py found: the same quantities for transformers. */
async function known(name: string): Promise<Record<HalfType, { readonly states: number; readonly nlls: number }>> {
  return JSON.parse(await readFile(path.join(FIXTURES, 'half.json'), 'utf8')).fixtures[name];
}

const rootMeanSquare = (a: readonly number[], b: readonly number[]) =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0) / a.length);

describe.each(NAMES)('%s', (name) => {
  it.each(FORMS)('as %s on %s: products read halves, and nothing else does', async (type, device) => {
    const model = await compiled(path.join(FIXTURES, name), type);
    const half = type === 'float16' ? DataType.FLOAT16 : DataType.BFLOAT16;
    for (const graph of Object.keys(BUILDS) as BuiltGraph[]) {
      const all = nodesOf(await builtGraph(model, { device, arithmetic: type }, graph));
      // States for a store of halves leave as such; nothing is computed from them.
      const nodes = all.filter(({ node }) => node.name !== `output/${STATES_FLOAT16}`);
      expect(all.length - nodes.length, graph).toBe(graph === 'encoder' && device === 'cuda' ? 1 : 0);
      const wide = ({ node, inputs }: SeenNode) => inputs.some((own, i) => node.input[i] !== '' && own !== half);
      const names = (seen: readonly SeenNode[]) => seen.map(({ node }) => `${node.opType} ${node.name}`);
      const products = nodes.filter(({ node }) => PRODUCTS.has(node.opType));
      expect(products.length, graph).toBeGreaterThan(0);
      expect(names(products.filter(wide)), graph).toEqual([]);
      const reading = nodes.filter(({ inputs }) => inputs.includes(half));
      expect(
        names(reading.filter(({ node: { opType } }) => !PRODUCTS.has(opType) && !MOVES.has(opType))),
        graph,
      ).toEqual([]);
      const precise = nodes.filter(({ node }) => PRECISE.test(node.opType));
      expect(names(precise.filter(({ inputs }) => inputs.some((own) => own !== DataType.FLOAT))), graph).toEqual([]);
      // Computing keys and values of states alone takes neither.
      if (graph !== 'cross') expect(precise.length, graph).toBeGreaterThan(1);
      const other = type === 'float16' ? DataType.BFLOAT16 : DataType.FLOAT16;
      expect(names(nodes.filter(({ inputs }) => inputs.includes(other))), graph).toEqual([]);
    }
  });
});

describe.each(FORMS)('as %s on %s', (type, device) => {
  it('states and NLLs are nearer to float32 than those of transformers are', async () => {
    const pooled: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
    for (const name of NAMES) {
      const theirs = (await known(name))[type];
      const cases = await casesOf(name);
      const model = await compiled(path.join(FIXTURES, name), type);
      const widened = await answers(engineHere(model, { device: 'cpu' }), cases);
      const folder = path.join(cacheDirectory, `${name.replace('/', '-')}-${type}-${device}`);
      const halves = await spelledOutModel(model, folder, device);
      const found = await answers(engineHere(halves, { device: 'cpu' }), cases);
      const moved = rootMeanSquare(found.states, widened.states);
      expect(moved, name).toBeLessThan(theirs.states);
      // It is 16 bits that were computed in.
      expect(moved, name).toBeGreaterThan(theirs.states / 10);
      pooled.ours.push(rootMeanSquare(found.nlls, widened.nlls));
      pooled.theirs.push(theirs.nlls);
    }
    // One fixture has few NLLs.
    expect(mean(pooled.ours)).toBeLessThan(mean(pooled.theirs));
    expect(mean(pooled.ours)).toBeGreaterThan(mean(pooled.theirs) / 10);
  });
});

/** BART's head reads the decoder's rows as they are: of rows that 16 bits hold only results are rounded. */
it.each(TYPES)('logits as %s have twice the digits', async (type) => {
  const model = await compiled(path.join(FIXTURES, 'reference-bart/plain'), type);
  const { width } = shapeOf(model.config).decoder;
  const rows = 6;
  const hidden = Float32Array.from({ length: rows * width }, (_, i) => (((i * 37) % 101) - 50) / 16);
  const integers = (of: (row: number) => number) =>
    int64(
      Array.from({ length: rows }, (_, row) => of(row)),
      [rows],
    );
  const nlls = async (bytes: Uint8Array) => {
    const graph = await loadGraph(model, { name: 'end', bytes }, 'cpu');
    const { nll } = await graph.run({
      hidden: new (onnxRuntime().Tensor)('float32', hidden, [1, rows, width]),
      scored: integers((row) => row),
      targets: integers((row) => 7 * row + 5),
    });
    await graph.release();
    return nll!.data as Float32Array;
  };
  const exact = await nlls(await graphOver(model, buildScoreEnd, CPU));
  const found = await nlls(spelledOut(await graphOver(model, buildScoreEnd, { device: 'cpu', arithmetic: type })));
  // A logit that is rounded twice is off by a 2^-8 of a 2^-8 of itself, or by the square of 2^-11.
  const step = type === 'float16' ? 2 ** -11 : 2 ** -8;
  const largest = Math.max(...exact);
  expect(largest).toBeGreaterThan(5);
  for (const [row, nll] of found.entries())
    expect(Math.abs(nll - exact[row]!)).toBeLessThan(largest * step ** 2 + 1e-5);
});

const PRODUCTS = new Set(['Gemm', 'MatMul', 'MultiHeadAttention']);
/** Softmax and norms. */
const PRECISE = /^Softmax$|Normalization$/;
const MOVES = new Set(['Cast', 'Concat', 'Gather', 'Reshape', 'Slice', 'Split', 'Transpose', 'Unsqueeze']);

/** Encodes under two more edits, by a float16 or bfloat16 model that is spelled out, and by the same weights in float32. */
async function edited(name: string, edits: Readonly<Record<string, Edit>>, type: HalfType) {
  const folder = path.join(await temporaryFolder(), 'edited');
  await editCheckpoint(path.join(FIXTURES, name), folder, edits);
  const model = await compiled(folder, type);
  const halves = await spelledOutModel(model, path.join(await temporaryFolder(), 'halves'));
  return { widened: engineHere(model, { device: 'cpu' }), halves: engineHere(halves, { device: 'cpu' }) };
}

const times =
  (factor: number): Edit =>
  (values) => {
    for (let i = 0; i < values.length; i++) values[i]! *= factor;
  };
/** One channel near the end of float16's range. */
const channel =
  (value: number): Edit =>
  (values, [, width]) => {
    values.fill(value, 0, width);
  };

const ENCODER = 'encoder.block.0.layer';
const GATED = 'reference-t5/gated-untied';
const RELU = 'reference-t5/relu-tied';
/** Of a single row there is no other sign: of what leaves the range to one side alone a finite number could be made. */
const items = [[7], [31], [6, 17, 31, 44, 58, 23, 9]].map((ids) => ({ tokenIds: Int32Array.from(ids) }));

describe('what leaves the range of float16', () => {
  it.each(TYPES)("between T5's feed-forward products, and behind them, keeps its digits as %s", async (type) => {
    const larger = {
      [`${ENCODER}.1.DenseReluDense.wi_0.weight`]: times(300),
      [`${ENCODER}.1.DenseReluDense.wi_1.weight`]: times(300),
      [`${ENCODER}.1.DenseReluDense.wo.weight`]: times(30),
    };
    const { widened, halves } = await edited(GATED, larger, type);
    const { hidden } = (await widened.probe(items, { hidden: [0], attention: [] }))[0]!;
    expect(Math.max(...hidden.get(0)!.data.map(Math.abs))).toBeGreaterThan(10 * 65_504);
    const [exact, found] = [await widened.encode(items), await halves.encode(items)];
    const data = (of: typeof exact) => of.flatMap((own) => [...own.data]);
    // Before it the model was within this of transformers' own rounding.
    const { states } = (await known(GATED))[type];
    expect(rootMeanSquare(data(found), data(exact))).toBeLessThan(states);
    await Promise.all([widened.close(), halves.close()]);
  });

  const broken = { code: 'NUMBERS_NOT_FINITE' };
  const attention =
    (weight: string, norm = 30) =>
    (sign: number) => ({
      [`${ENCODER}.0.SelfAttention.${weight}.weight`]: channel(sign * 6e4),
      [`${ENCODER}.0.layer_norm.weight`]: times(norm),
    });
  const feedForward = (edit: (sign: number) => Record<string, Edit>, norm: number) => (sign: number) => ({
    ...edit(sign),
    [`${ENCODER}.1.layer_norm.weight`]: times(norm),
  });
  it.each<[string, string, (sign: number) => Readonly<Record<string, Edit>>]>([
    [
      'a gate that Relu would make 0 of',
      RELU,
      feedForward((sign) => ({ [`${ENCODER}.1.DenseReluDense.wi.weight`]: channel(sign * 6e4) }), 30),
    ],
    [
      'a gate of GELU',
      GATED,
      feedForward((sign) => ({ [`${ENCODER}.1.DenseReluDense.wi_0.weight`]: channel(sign * 6e4) }), 30),
    ],
    [
      'what a gate is multiplied with',
      GATED,
      feedForward((sign) => ({ [`${ENCODER}.1.DenseReluDense.wi_1.weight`]: channel(sign * 6e4) }), 30),
    ],
    ['a key', GATED, attention('k')],
    ['a query', GATED, attention('q')],
    ['a value', GATED, attention('v')],
    ['what attention gives', GATED, attention('o', 1e3)],
    ['the rows that products read', RELU, feedForward(() => ({}), 1e6)],
  ])('is found: %s', async (_, name, edits) => {
    for (const sign of [1, -1]) {
      const { widened, halves } = await edited(name, edits(sign), 'float16');
      for (const item of items) {
        for (const number of (await widened.encode([item]))[0]!.data) expect(Number.isFinite(number)).toBe(true);
        await expect(halves.encode([item]), `${sign}`).rejects.toMatchObject(broken);
      }
      await Promise.all([widened.close(), halves.close()]);
    }
  });

  it('is found in a key that a softmax would give no weight, and in no other', async () => {
    // Queries are small in the channel: a score that would be -10 is infinite if the key is.
    const edits = {
      [`${ENCODER}.0.SelfAttention.k.weight`]: channel(1.5e4),
      [`${ENCODER}.0.SelfAttention.q.weight`]: ((values, [, width]) => {
        for (let i = 0; i < width!; i++) values[i]! *= 1e-4;
      }) satisfies Edit,
    };
    const { widened, halves } = await edited(GATED, edits, 'float16');
    // As long as no padding is needed: its rows would leave the range as well.
    const pairs = Array.from({ length: 40 }, (_, pair) => ({
      tokenIds: Int32Array.from({ length: 16 }, (_, i) => (i % 2 ? 6 + pair : 90 - pair)),
    }));
    const exact = await widened.encode(pairs);
    const found = await eachOf(pairs, (own) => halves.encode(own));
    const { states } = (await known(GATED)).float16;
    const kept = found.flatMap((own, i) =>
      own instanceof DkvError ? [] : [[[...own.data], [...exact[i]!.data]] as const],
    );
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(pairs.length);
    for (const [own, wanted] of kept) expect(rootMeanSquare(own, wanted)).toBeLessThan(10 * states);
    await Promise.all([widened.close(), halves.close()]);
  });

  it('is found in rows that the head reads, behind a softcap too', async () => {
    const name = 'reference/softcap-fp16';
    const { widened, halves } = await edited(name, { 'model.decoder.norm.weight': times(1e6) }, 'float16');
    const [states] = (await widened.encode([{ tokenIds: Int32Array.of(2, 9, 14) }])) as [States];
    const memory = [allRows(states)];
    const prompt = new Int32Array(0);
    const scored = { memory, prompt, target: Int32Array.of(7, 12) };
    for (const nll of (await widened.score([scored]))[0]!) expect(Number.isFinite(nll)).toBe(true);
    await expect(halves.score([scored])).rejects.toMatchObject(broken);
    await expect(halves.generate([{ memory, prompt, maxTokens: 3 }])).rejects.toMatchObject(broken);
    await Promise.all([widened.close(), halves.close()]);
  });

  it('is found in rows of which few logits are wanted, behind a softcap too', async () => {
    const model = await compiled(path.join(FIXTURES, 'reference/softcap-fp16'), 'float16');
    const { width } = shapeOf(model.config).decoder;
    const build: BuildGraph = (parts) => {
      const hidden = parts.graph.input('hidden', 'float32', ['n', width]);
      const tokens = parts.graph.input('tokens', 'int64', ['n']);
      parts.graph.output('logit', tokenLogits(parts, parts.blocks.head, hidden, tokens), 'float32', ['n']);
    };
    const logitOf = async (bytes: Uint8Array) => {
      const graph = await loadGraph(model, { name: 'head', bytes }, 'cpu');
      const hidden = new (onnxRuntime().Tensor)('float32', new Float32Array(width).fill(0.5).with(3, 7e4), [1, width]);
      const { logit } = await graph.run({ hidden, tokens: int64([7], [1]) });
      await graph.release();
      return (logit!.data as Float32Array)[0]!;
    };
    expect(Number.isFinite(await logitOf(await graphOver(model, build, CPU)))).toBe(true);
    const halves = spelledOut(await graphOver(model, build, { device: 'cpu', arithmetic: 'float16' }));
    expect(await logitOf(halves)).toBeNaN();
  });

  it('is found in states that the decoder reads', async () => {
    const { widened, halves } = await edited(GATED, {}, 'float16');
    const [states] = (await widened.encode([items[2]!])) as [States];
    const large = { ...states, data: states.data.with(5, 7e4) };
    const scored = { memory: [allRows(large)], prompt: new Int32Array(0), target: Int32Array.of(7, 12) };
    for (const nll of (await widened.score([scored]))[0]!) expect(Number.isFinite(nll)).toBe(true);
    await expect(halves.score([scored])).rejects.toMatchObject(broken);
    await Promise.all([widened.close(), halves.close()]);
  });
});
