/** Where the runtime places the nodes of a graph, by its own log, and what of it computes on the CPU. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { TensorProto_DataType as DataType } from 'onnx-buf';
import { type CompiledModel, GRAPHS, graphOver } from '../../src/model/compiled.js';
import { buildLogits, buildTempered } from '../../src/model/graph/decoder.js';
import type { Target } from '../../src/model/graph/target.js';
import { nodesOf } from './half-graphs.js';

/** Every graph that an engine runs, but for probes. */
export const BUILDS = { ...GRAPHS, logits: buildLogits, tempered: buildTempered };
export type BuiltGraph = keyof typeof BUILDS;

export interface PlacedNode {
  /** Such as `CPUExecutionProvider`. */
  readonly provider: string;
  readonly type: string;
  readonly name: string;
}

const CHILD = path.resolve(import.meta.dirname, 'placement-child.ts');

/**
 * Loads graphs in a process of their own, whose log is read.
 * @throws Error with the end of the log when it fails
 */
export async function placements(
  { directory, config, precision, embeddingScale, tensors }: CompiledModel,
  target: Target,
  graphs: readonly BuiltGraph[],
): Promise<Map<BuiltGraph, PlacedNode[]>> {
  const model = { directory, config, precision, embeddingScale, tensors };
  const args = [model, target, graphs].map((value) => JSON.stringify(value));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-placement-'));
  try {
    // A file and no pipe: what the runtime writes to one that is full is lost.
    const file = await open(path.join(folder, 'log'), 'w');
    const child = spawn(process.execPath, ['--import', 'tsx', CHILD, ...args], {
      stdio: ['ignore', 'ignore', file.fd],
    });
    const [exitCode] = await once(child, 'close');
    await file.close();
    const log = await readFile(path.join(folder, 'log'), 'utf8');
    if (exitCode !== 0) throw new Error(`the graphs were not loaded:\n${log.slice(-2000)}`);
    return new Map(
      graphs.map((name) => {
        const own = log.split(`\ngraph ${name}\n`)[1] ?? '';
        return [name, placedNodes(own.split('\ngraph ')[0]!)];
      }),
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** @throws Error where the log does not say it */
export function placedNodes(log: string): PlacedNode[] {
  const nodes: PlacedNode[] = [];
  let provider = '';
  for (const line of log.split('\n')) {
    const said = /VerifyEachNodeIsAssignedToAnEp\S*\]\s+(.*)$/.exec(line)?.[1];
    if (said === undefined) continue;
    provider = /placed on \[(\w+)\]/.exec(said)?.[1] ?? provider;
    const [, type, name] = /^(\w+) \((.*)\)$/.exec(said) ?? [];
    if (type !== undefined) nodes.push({ provider, type, name: name! });
  }
  if (nodes.length === 0) throw new Error(`no placements in the log:\n${log.slice(-2000)}`);
  return nodes;
}

/**
 * The nodes that compute on the CPU. Sizes and row numbers are no such: integers of 64 bits. Nor is it to copy what leaves the graph.
 * @param bytes the graph as it was built; a node that is not of it counts
 */
export function computedByCpu(placed: readonly PlacedNode[], bytes: Uint8Array): PlacedNode[] {
  const types = new Map(nodesOf(bytes).map(({ node, output }) => [node.name, output]));
  return placed.filter(
    ({ provider, name, type }) =>
      provider === 'CPUExecutionProvider' && type !== 'Identity' && types.get(name) !== DataType.INT64,
  );
}

export function builtGraph(model: CompiledModel, target: Target, name: BuiltGraph): Promise<Uint8Array> {
  return graphOver(model, BUILDS[name], target);
}
