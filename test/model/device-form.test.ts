/**
 * The graphs for devices that are no CPU, run by the CPU, against those for the CPU: the same numbers, whatever is asked. And what they are made of: operators that
 * the provider has kernels of, by its own list.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { TensorProto_DataType as DataType } from 'onnx-buf';
import { afterAll, describe, expect, it } from 'vitest';
import { allRows, type EncodeItem, type Engine } from '../../src/engine/engine.js';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import type { CompiledModel } from '../../src/model/compiled.js';
import { GraphBuilder } from '../../src/model/graph/builder.js';
import type { Device, Target } from '../../src/model/graph/target.js';
import { engineHere } from '../support/engine-here.js';
import { FAMILY_FIXTURES } from '../support/fixtures.js';
import { nodesOf } from '../support/half-graphs.js';
import { BUILDS, type BuiltGraph, builtGraph } from '../support/placement.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-device-form-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

async function compiled(family: string, fixture: string) {
  const checkpoint = await openCheckpoint(path.join(FAMILY_FIXTURES[family]!, fixture));
  return compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });
}

/** Windows of 7 rows, blocks of 128: 300 rows are three blocks, 134 the longest input in one; 320 are not padded. */
const MODELS = [
  ['T5Gemma2ForConditionalGeneration', 'several-kv-heads'],
  ['T5Gemma2ForConditionalGeneration', 'one-kv-head'],
  ['T5ForConditionalGeneration', 'gated-untied'],
  ['T5ForConditionalGeneration', 'relu-tied'],
  ['BartForConditionalGeneration', 'scaled'],
] as const;

const target = (device: Device): Target => ({ device, arithmetic: 'float32' });
const ids = (length: number, seed: number) => Int32Array.from({ length }, (_, i) => 3 + ((i * 31 + seed * 7) % 90));

/** Lengths in one block and in several, who may see whom, and positions that are moved. */
function itemsFor({ config }: CompiledModel): EncodeItem[] {
  const longest = 'maxPositions' in config ? config.maxPositions : Number.POSITIVE_INFINITY;
  const lengths = [1, 16, 91, 134, 135, 300, 320].filter((length) => length <= longest);
  const pairs = (length: number) => Uint8Array.from({ length: length ** 2 }, (_, i) => ((i * 7919) % 5 === 0 ? 0 : 1));
  const middle = Math.max(...lengths.filter((length) => length <= 134));
  return [
    ...lengths.map((length) => ({ tokenIds: ids(length, length) })),
    // Alone in a batch of its shape, and beside others.
    { tokenIds: ids(13, 5) },
    { tokenIds: ids(middle, 6), pairMask: pairs(middle) },
    ...(lengths.at(-1)! <= 134 ? [] : [{ tokenIds: ids(200, 8), pairMask: pairs(200) }]),
    ...(config.family === 'bart'
      ? []
      : [{ tokenIds: ids(40, 9), positions: Int32Array.from({ length: 40 }, (_, i) => 3 * i + 500) }]),
  ];
}

async function answers(engine: Engine, items: readonly EncodeItem[]) {
  const states = await engine.encode(items);
  const memories = states.map((of) => [allRows(of)]);
  const prompt = Int32Array.of(7, 9);
  const scored = memories.map((memory) => ({ memory, prompt, target: Int32Array.of(11, 13, 20) }));
  // Rows that are left out, and such that are there and hidden.
  const long = states.reduce((most, of) => (of.rows > most.rows ? of : most));
  const parts = { states: long, start: 5, end: long.rows - 3 };
  scored.push({ memory: [parts], prompt, target: Int32Array.of(11, 13, 20) });
  scored.push({
    memory: [parts, { states: long, start: 1, end: 4, masked: true }],
    prompt,
    target: Int32Array.of(4, 5, 6),
  });
  const probed = items.slice(1, 3).concat(items.at(-1)!);
  const layers = Array.from({ length: engine.info.shape.encoder.layers }, (_, layer) => layer);
  const given = {
    states,
    nlls: await engine.score(scored),
    tempered: await engine.scoreTempered(scored),
    logits: await engine.logits(memories.map((memory) => ({ memory, prompt, tokens: Int32Array.of(3, 70) }))),
    written: await engine.generate(
      scored.map(({ memory }, i) => ({ memory, prompt: ids(i % 5, i), maxTokens: 1 + (i % 9) })),
    ),
    drawn: await engine.generate(
      memories.slice(0, 3).map((memory, i) => ({
        memory,
        prompt,
        maxTokens: 3,
        ...(i !== 1 && { sampling: { temperature: 1, topP: 0.9, seed: i } }),
      })),
    ),
    probed: await engine.probe(probed, { hidden: layers, attention: layers }),
  };
  await engine.close();
  return given;
}

/** The largest difference, relative to max(1, x). */
function difference(a: Float32Array, b: Float32Array): number {
  expect(b.length).toBe(a.length);
  return a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!) / Math.max(1, Math.abs(x))), 0);
}

describe.each(MODELS)('%s %s', async (family, fixture) => {
  const model = await compiled(family, fixture);
  const items = itemsFor(model);
  const expected = answers(engineHere(model, { device: 'cpu', batchTokens: 700 }), items);

  it.each(['webgpu', 'cuda'] as const)('gives the same numbers in the form for %s', async (device) => {
    const made = await answers(engineHere(model, { device: 'cpu', batchTokens: 700, target: target(device) }), items);
    const own = await expected;
    const pairs = [
      ...own.states.map((of, i) => [of.data, made.states[i]!.data]),
      ...own.nlls.map((of, i) => [of, made.nlls[i]!]),
      ...own.tempered.map((of, i) => [of, made.tempered[i]!]),
      ...own.logits.map((of, i) => [of, made.logits[i]!]),
      ...[...own.written, ...own.drawn].map((of, i) => [
        of.logProbabilities,
        [...made.written, ...made.drawn][i]!.logProbabilities,
      ]),
      ...own.probed.flatMap((of, i) => [
        [of.states.data, made.probed[i]!.states.data],
        ...[...of.hidden].map(([layer, rows]) => [rows.data, made.probed[i]!.hidden.get(layer)!.data]),
        ...[...of.attention].map(([layer, seen]) => [seen, made.probed[i]!.attention.get(layer)!]),
      ]),
    ] as [Float32Array, Float32Array][];
    expect(Math.max(...pairs.map(([a, b]) => difference(a, b)))).toBeLessThan(1e-5);
    expect(made.written.map(({ tokenIds, stop }) => [tokenIds, stop])).toEqual(
      own.written.map(({ tokenIds, stop }) => [tokenIds, stop]),
    );
    expect(made.drawn.map(({ tokenIds }) => tokenIds)).toEqual(own.drawn.map(({ tokenIds }) => tokenIds));
  });

  it.each(['webgpu', 'cuda'] as const)('decides nothing in the graph for %s', async (device) => {
    for (const name of Object.keys(BUILDS) as BuiltGraph[]) {
      const types = nodesOf(await builtGraph(model, target(device), name)).map(({ node }) => node.opType);
      expect(types).not.toContain('If');
      expect(types).not.toContain('Scan');
      expect(types.includes('Loop')).toBe(device === 'cuda' && name === 'generate');
    }
  });

  it('has a CUDA kernel for every operator and type', async () => {
    for (const arithmetic of ['float32', 'float16', 'bfloat16'] as const) {
      for (const name of Object.keys(BUILDS) as BuiltGraph[]) {
        const nodes = nodesOf(await builtGraph(model, { device: 'cuda', arithmetic }, name));
        const without = nodes.filter(({ node, inputs, output }) => {
          const decides = node.opType === 'Where' ? inputs[1] : node.opType === 'Cast' ? output : inputs[0];
          return !CUDA_KERNELS[node.opType]?.includes(DataType[decides!] as CudaType);
        });
        expect(without.map(({ node, inputs }) => `${node.opType} of ${DataType[inputs[0]!]}`)).toEqual([]);
      }
    }
  });
});

it('leaves out what nobody reads', async () => {
  const graph = new GraphBuilder('pruned', 'device');
  const x = graph.input('x', 'float32', ['n']);
  graph.op('Exp', [graph.op('Neg', [x])]);
  graph.output('y', graph.op('Relu', [x]), 'float32', ['n']);
  expect(nodesOf(await graph.toBytes()).map(({ node }) => node.opType)).toEqual(['Relu', 'Identity']);
});

type CudaType = 'FLOAT' | 'FLOAT16' | 'BFLOAT16' | 'INT32' | 'INT64' | 'BOOL';

const FLOATS = ['FLOAT', 'FLOAT16', 'BFLOAT16'] as const;
const INTEGERS = ['INT32', 'INT64'] as const;
const ALL = [...FLOATS, ...INTEGERS, 'BOOL'] as const;

/**
 * What the CUDA provider has kernels of, in the versions that graphs for devices are of, with the types of what a node takes first (of `Where` second; of `Cast` what it
 * gives): after ONNX Runtime's docs/OperatorKernels.md, which is made from the kernels that are registered, at commit
 * 001d12d2623fd411ce0f83d05abb5e82304a3389.
 */
const CUDA_KERNELS: Readonly<Record<string, readonly CudaType[]>> = {
  Add: [...FLOATS, ...INTEGERS],
  Cast: ALL,
  Clip: ['FLOAT', 'FLOAT16', 'INT64'],
  Concat: ALL,
  Cos: ['FLOAT', 'FLOAT16'],
  CumSum: ['FLOAT', 'FLOAT16', ...INTEGERS],
  Div: [...FLOATS, ...INTEGERS],
  Equal: ['FLOAT', 'FLOAT16', ...INTEGERS, 'BOOL'],
  Exp: FLOATS,
  Expand: ALL,
  FastGelu: FLOATS,
  Gather: ALL,
  GatherElements: ALL,
  Gelu: FLOATS,
  Gemm: FLOATS,
  Greater: ['FLOAT', 'FLOAT16', ...INTEGERS],
  GreaterOrEqual: ['FLOAT', 'FLOAT16', ...INTEGERS],
  Identity: ALL,
  LayerNormalization: FLOATS,
  Less: ['FLOAT', 'FLOAT16', ...INTEGERS],
  LessOrEqual: ['FLOAT', 'FLOAT16', ...INTEGERS],
  Log: ['FLOAT', 'FLOAT16'],
  Loop: ALL,
  MatMul: FLOATS,
  Max: [...FLOATS, ...INTEGERS],
  Min: [...FLOATS, ...INTEGERS],
  Mul: [...FLOATS, ...INTEGERS],
  MultiHeadAttention: FLOATS,
  Neg: [...FLOATS, ...INTEGERS],
  Not: ['BOOL'],
  Or: ['BOOL'],
  Range: ['FLOAT', ...INTEGERS],
  ReduceMax: ['FLOAT', 'FLOAT16', ...INTEGERS],
  ReduceMin: ['FLOAT', 'FLOAT16', ...INTEGERS],
  ReduceSum: [...FLOATS, ...INTEGERS],
  Relu: FLOATS,
  Reshape: ALL,
  RotaryEmbedding: FLOATS,
  Shape: ALL,
  SimplifiedLayerNormalization: FLOATS,
  Sin: ['FLOAT', 'FLOAT16'],
  Sigmoid: FLOATS,
  Slice: ALL,
  Softmax: FLOATS,
  Split: ALL,
  Squeeze: ALL,
  Sub: [...FLOATS, ...INTEGERS],
  Tanh: FLOATS,
  TopK: ['FLOAT', 'FLOAT16', ...INTEGERS],
  Transpose: ALL,
  Unsqueeze: ALL,
  Where: [...FLOATS, ...INTEGERS],
};
