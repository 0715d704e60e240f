/**
 * Graphs that compute in 16 bits, looked at and run without a device that does. The runtime's CPU provider has no such products: of float16 ones it makes float32
 * ones, in which nothing is rounded and nothing overflows, and bfloat16 ones it refuses. So what a device computes is spelled out for it: factors widened, sums
 * as float32, results rounded.
 */
import { link, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
} from 'onnx-buf';
import { type CompiledModel, GRAPHS, type GraphName, graphName, graphOver } from '../../src/model/compiled.js';
import { CPU, type Device, type HalfType } from '../../src/model/graph/target.js';
import { WEIGHTS_FILE } from '../../src/model/graph/weights.js';

/** Operators that only move numbers: the CPU provider has them for 16 bits. */
const MOVES = new Set(
  'Cast Concat Expand Gather Identity Pad Reshape Shape Slice Split Squeeze Transpose Unsqueeze'.split(' '),
);

const BOOLS = new Set('Equal Greater GreaterOrEqual Less LessOrEqual Not Or And'.split(' '));
const COUNTS = new Set('Shape Size ArgMax'.split(' '));

export interface SeenNode {
  readonly node: NodeProto;
  readonly inputs: readonly (DataType | undefined)[];
  /** Of what it gives first. */
  readonly output: DataType | undefined;
}

type Types = Map<string, DataType>;

const isHalf = (type: DataType | undefined) => type === DataType.FLOAT16 || type === DataType.BFLOAT16;

/** Every node, those of subgraphs too, with the element types of what it reads and gives. */
export function nodesOf(bytes: Uint8Array): SeenNode[] {
  const seen: SeenNode[] = [];
  walk(fromBinary(ModelProtoSchema, bytes).graph!, new Map(), (node, inputs, output) => {
    seen.push({ node, inputs, output });
    return [node];
  });
  return seen;
}

/** The same graph with products in float32, rounded to 16 bits where the graph's own are. */
export function spelledOut(bytes: Uint8Array): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  walk(model.graph!, new Map(), (node, inputs) => {
    const half = inputs.find(isHalf);
    if (half === undefined || MOVES.has(node.opType)) return [node];
    const before = node.input.map((name, i) =>
      isHalf(inputs[i]) ? cast(name, `${node.name}/wide ${i}`, DataType.FLOAT) : undefined,
    );
    const after = node.output.map((name) => cast(`${name}/wide`, name, half));
    return [
      ...before.filter((own) => own !== undefined),
      create(NodeProtoSchema, {
        ...node,
        input: node.input.map((name, i) => before[i]?.output[0] ?? name),
        output: node.output.map((name) => `${name}/wide`),
      }),
      ...after,
    ];
  });
  return toBinary(ModelProtoSchema, model);
}

function cast(from: string, to: string, type: DataType): NodeProto {
  return create(NodeProtoSchema, {
    name: `cast ${from} ${to}`,
    opType: 'Cast',
    input: [from],
    output: [to],
    attribute: [{ name: 'to', type: AttributeType.INT, i: BigInt(type) }],
  });
}

/** Goes through the nodes in their order and puts in their place what `replace` gives. */
function walk(
  graph: GraphProto,
  outer: Types,
  replace: (
    node: NodeProto,
    inputs: readonly (DataType | undefined)[],
    output: DataType | undefined,
  ) => readonly NodeProto[],
): Types {
  const types: Types = new Map(outer);
  for (const { name, type } of graph.input) {
    if (type?.value.case === 'tensorType') types.set(name, type.value.value.elemType);
  }
  for (const { name, dataType } of graph.initializer) types.set(name, dataType);
  graph.node = graph.node.flatMap((node) => {
    const inputs = node.input.map((name) => types.get(name));
    const inner = node.attribute.flatMap(({ g }) => (g ? [{ graph: g, types: walk(g, types, replace) }] : []));
    for (const [i, name] of node.output.entries()) types.set(name, typeOf(node, i, inputs, inner)!);
    return replace(node, inputs, types.get(node.output[0]!));
  });
  return types;
}

function typeOf(
  node: NodeProto,
  output: number,
  inputs: readonly (DataType | undefined)[],
  inner: readonly { readonly graph: GraphProto; readonly types: Types }[],
): DataType | undefined {
  if (inner[0]) {
    // Of a loop the first output of the body says whether to go on.
    const own = inner[0].graph.output[node.opType === 'Loop' ? output + 1 : output]!;
    return inner[0].types.get(own.name);
  }
  if (node.opType === 'Cast') return Number(node.attribute.find(({ name }) => name === 'to')!.i);
  if (BOOLS.has(node.opType)) return DataType.BOOL;
  if (COUNTS.has(node.opType) || (node.opType === 'TopK' && output === 1)) return DataType.INT64;
  return node.opType === 'Where' ? inputs[1] : inputs[0];
}

/**
 * A model compiled as float16 or bfloat16 whose graphs are those that a device loads, spelled out and given what the CPU's are: the executor runs it on the CPU as
 * any other.
 */
export async function spelledOutModel(
  model: CompiledModel,
  directory: string,
  device: Exclude<Device, 'cpu'> = 'cuda',
): Promise<CompiledModel> {
  await mkdir(directory);
  await link(path.join(model.directory, WEIGHTS_FILE), path.join(directory, WEIGHTS_FILE));
  const target = { device, arithmetic: model.precision as HalfType };
  for (const name of Object.keys(GRAPHS) as GraphName[]) {
    const forCpu = fromBinary(ModelProtoSchema, await graphOver(model, GRAPHS[name], CPU)).graph!.input;
    const graph = fromBinary(ModelProtoSchema, spelledOut(await graphOver(model, GRAPHS[name], target)));
    takeInputs(graph.graph!, forCpu);
    await writeFile(path.join(directory, graphName(name)), toBinary(ModelProtoSchema, graph));
  }
  return { ...model, directory };
}

const elementType = ({ type }: ValueInfoProto) =>
  type?.value.case === 'tensorType' ? type.value.value.elemType : undefined;

/** Makes a graph take the inputs of another one: those that it does not have are read by nobody, integers of another size are cast. */
function takeInputs(graph: GraphProto, inputs: readonly ValueInfoProto[]): void {
  const taken = new Map(inputs.map((input) => [input.name, input]));
  const own = graph.input;
  const others = own.filter(
    (input) => taken.has(input.name) && elementType(input) !== elementType(taken.get(input.name)!),
  );
  rename(graph, new Map(others.map(({ name }) => [name, `${name}/own`])));
  // The host gives `want_logits` where there is no `drawn`.
  const given = inputs.filter(({ name }) => name !== 'want_logits' || !own.some((input) => input.name === 'drawn'));
  graph.input = [...given, ...own.filter(({ name }) => !taken.has(name))];
  graph.node.unshift(...others.map((input) => cast(input.name, `${input.name}/own`, elementType(input)!)));
}

function rename(graph: GraphProto, names: ReadonlyMap<string, string>): void {
  for (const node of graph.node) {
    node.input = node.input.map((name) => names.get(name) ?? name);
    for (const { g } of node.attribute) if (g) rename(g, names);
  }
}
