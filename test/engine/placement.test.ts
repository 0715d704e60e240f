/** Where the nodes of the graphs for WebGPU compute, by the runtime's own log: with an adapter, one in software too. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { targetOf } from '../../src/model/graph/target.js';
import { FAMILY_FIXTURES } from '../support/fixtures.js';
import { nodesOf } from '../support/half-graphs.js';
import { BUILDS, type BuiltGraph, builtGraph, computedByCpu, placedNodes, placements } from '../support/placement.js';
import { hasAdapter } from '../support/webgpu.js';

const cacheDirectory = await mkdtemp(path.join(os.tmpdir(), 'dkv-placement-'));
afterAll(() => rm(cacheDirectory, { recursive: true, force: true }));

const target = targetOf('float32', 'webgpu');
const NAMES = Object.keys(BUILDS) as BuiltGraph[];

async function compiled(family: string, fixture: string) {
  const checkpoint = await openCheckpoint(path.join(FAMILY_FIXTURES[family]!, fixture));
  return compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });
}

describe.runIf(await hasAdapter(await compiled('T5Gemma2ForConditionalGeneration', 'one-kv-head')))('WebGPU', () => {
  it.each([
    ['T5Gemma2ForConditionalGeneration', 'several-kv-heads'],
    ['T5Gemma2ForConditionalGeneration', 'one-kv-head'],
    ['T5ForConditionalGeneration', 'gated-untied'],
    ['BartForConditionalGeneration', 'plain'],
  ])('computes all nodes of %s %s', async (family, fixture) => {
    const model = await compiled(family, fixture);
    for (const [name, placed] of await placements(model, target, NAMES)) {
      expect(placed.length).toBeGreaterThan(10);
      expect([name, computedByCpu(placed, await builtGraph(model, target, name))]).toEqual([name, []]);
    }
  });
});

it('reads the log', async () => {
  const log = [
    '2026-11-27 18:27:24.12 [V:onnxruntime:, session_state.cc:1377 VerifyEachNodeIsAssignedToAnEp] Node placements',
    '2026-11-27 18:27:24.12 [V:onnxruntime:, session_state.cc:1383 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on [WebGpuExecutionProvider]. Number of nodes: 1',
    '2026-11-27 18:27:24.12 [V:onnxruntime:, session_state.cc:1385 VerifyEachNodeIsAssignedToAnEp]   Gemm (encoder.0/Gemm_9)',
    '2026-11-27 18:27:24.12 [V:onnxruntime:, session_state.cc:1383 VerifyEachNodeIsAssignedToAnEp]  Node(s) placed on [CPUExecutionProvider]. Number of nodes: 1',
    '2026-11-27 18:27:24.12 [V:onnxruntime:, session_state.cc:1385 VerifyEachNodeIsAssignedToAnEp]   Concat (Concat_1)',
    '2026-11-27 18:27:24.12 [I:onnxruntime:, bfc_arena.cc:281 Reserve]   Reserving (memory)',
  ];
  expect(placedNodes(log.join('\n'))).toEqual([
    { provider: 'WebGpuExecutionProvider', type: 'Gemm', name: 'encoder.0/Gemm_9' },
    { provider: 'CPUExecutionProvider', type: 'Concat', name: 'Concat_1' },
  ]);
  expect(() => placedNodes('nothing')).toThrow('no placements');
});

it('counts what the CPU computes, and no sizes', async () => {
  const model = await compiled('T5Gemma2ForConditionalGeneration', 'one-kv-head');
  const bytes = await builtGraph(model, target, 'encoder');
  const placed = placementsByType(bytes, 'CPUExecutionProvider');
  const counted = computedByCpu(placed, bytes).map(({ type }) => type);
  expect(counted).toEqual(expect.arrayContaining(['Gemm', 'Softmax', 'Cast', 'Equal']));
  expect(counted).not.toContain('Shape');
  expect(counted).not.toContain('Range');
  expect(computedByCpu(placementsByType(bytes, 'WebGpuExecutionProvider'), bytes)).toEqual([]);
  expect(
    computedByCpu([{ provider: 'CPUExecutionProvider', type: 'Fused', name: 'made by the runtime' }], bytes),
  ).toHaveLength(1);
});

/** As if all nodes were placed on one provider. */
function placementsByType(bytes: Uint8Array, provider: string) {
  return nodesOf(bytes).map(({ node }) => ({ provider, type: node.opType, name: node.name }));
}
