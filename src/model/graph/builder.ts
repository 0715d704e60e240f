/**
 * Writes an ONNX graph: inputs, operator nodes, small inline constants, weights in an external file, outputs.
 * Knows the ONNX format and nothing of the model.
 */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TensorShapeProto_DimensionSchema,
  TensorShapeProtoSchema,
  TypeProto_TensorSchema,
  TypeProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';

/** The name of a tensor in the graph. */
export type Value = string;

/** Sizes known when the graph is built, names for those known when it runs, such as `['batch', 'rows', 640]`. */
export type Dimensions = readonly (number | string)[];

export const ELEMENT_TYPES = ['float32', 'float16', 'bfloat16', 'uint8', 'int8', 'int64', 'bool'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

export interface TypedValue {
  readonly value: Value;
  readonly type: ElementType;
}

/** An input or output of a graph within the graph; its shape is unknown unless it is said. */
type TypedName = readonly [value: Value, type: ElementType, dimensions?: Dimensions];

/** What one turn of a loop gives. */
export interface Turn<Carried extends string, Kept extends string> {
  /** A single bool: another turn after this one? */
  readonly goOn: Value;
  /** For the next turn. */
  readonly carried: Record<Carried, Value>;
  /** Of every turn. */
  readonly kept: Record<Kept, TypedValue>;
}

/** A slice of the external weights file. */
export interface ExternalTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dimensions: readonly number[];
  readonly file: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly graph: GraphProto }
  | readonly number[];

const DATA_TYPES: Record<ElementType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  uint8: TensorProto_DataType.UINT8,
  int8: TensorProto_DataType.INT8,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** The operator set: 23 brought grouped-query `Attention`, `RotaryEmbedding` and `RMSNormalization`. */
const OPSET_VERSION = 23n;
const IR_VERSION = 11n;

export class GraphBuilder {
  readonly #graph;
  /** Where nodes go: the graph's, or those of a branch being built. */
  #nodes: NodeProto[];
  readonly #externals = new Map<string, ExternalTensor>();
  readonly #constants = new Map<string, Value>();
  #scope = '';
  #counter = 0;

  constructor(name: string) {
    this.#graph = create(GraphProtoSchema, { name });
    this.#nodes = this.#graph.node;
  }

  /** Runs `build` with its node names prefixed, so that errors and profiles say where in the model they are. */
  scope<T>(name: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = `${outer}${name}/`;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  input(name: string, type: ElementType, dimensions: Dimensions): Value {
    this.#graph.input.push(valueInfo(name, type, dimensions));
    return name;
  }

  /** Makes a value an output of the graph under a name of its own. */
  output(name: string, value: Value, type: ElementType, dimensions: Dimensions): void {
    this.#graph.node.push(
      create(NodeProtoSchema, { name: `output/${name}`, opType: 'Identity', input: [value], output: [name] }),
    );
    this.#graph.output.push(valueInfo(name, type, dimensions));
  }

  /** Adds a node with one output. An empty input name stands for an optional input left out. */
  op(type: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.#node(type, inputs, attributes, 1)[0]!;
  }

  /** The same numbers as another type, rounded to the nearest; beyond what the type holds they are infinite. */
  cast(x: Value, type: ElementType): Value {
    return this.op('Cast', [x], { to: { int: DATA_TYPES[type] } });
  }

  /**
   * Both are true. Not as `And`: the runtime's WebGPU provider (1.30) computes that one wrongly once the process has run it on shapes that
   * broadcast in another way.
   */
  both(a: Value, b: Value): Value {
    return this.op('Not', [this.op('Or', [this.op('Not', [a]), this.op('Not', [b])])]);
  }

  /** Adds a node with `count` outputs; a hole in `wanted` names an optional output left out. */
  opWithOutputs(
    type: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    wanted: readonly boolean[],
  ): Value[] {
    return this.#node(type, inputs, attributes, wanted.length, wanted);
  }

  /**
   * One of two values, decided when the graph runs; only that one is computed. Branches may read every value made before.
   * @param condition a single bool
   */
  choose(condition: Value, type: ElementType, yes: () => Value, no: () => Value): Value {
    const branch = (name: string, build: () => Value) => this.#subgraph(name, [], () => [[build(), type]]);
    return this.op('If', [condition], { then_branch: branch('then', yes), else_branch: branch('else', no) });
  }

  /**
   * Runs `body` again and again, at most `most` times (int64), until it says to stop. It may read every value made before.
   * @param carried what the first turn takes; each further one takes what the one before gave, which may have another shape
   * @returns what the last turn gave, and what all turns gave, stacked along a new first axis
   */
  loop<Carried extends string, Kept extends string>(
    most: Value,
    carried: Record<Carried, TypedValue>,
    body: (turn: Value, carried: Record<Carried, Value>) => Turn<Carried, Kept>,
  ): { last: Record<Carried, Value>; all: Record<Kept, Value> } {
    const name = `${this.#scope}loop_${this.#counter++}`;
    const names = Object.keys(carried) as Carried[];
    const inputs = record(names, (key) => `${name}/${key}`);
    const turn = `${name}/turn`;
    const typed: TypedName[] = names.map((key) => [inputs[key], carried[key].type]);
    let kept: Kept[] = [];
    const turns = this.#subgraph('body', [[turn, 'int64', []], [`${name}/before`, 'bool', []], ...typed], () => {
      const made = body(turn, inputs);
      kept = Object.keys(made.kept) as Kept[];
      const outputs: TypedName[] = [
        [made.goOn, 'bool'],
        ...names.map((key) => [made.carried[key], carried[key].type] as const),
        ...kept.map((key) => [made.kept[key].value, made.kept[key].type] as const),
      ];
      // An output has to be made in the body, and be one output only: what is not gets a node.
      const free = new Set(this.#nodes.flatMap(({ output }) => output));
      return outputs.map(([value, type]) => [free.delete(value) ? value : this.op('Identity', [value]), type] as const);
    });
    const states = names.map((key) => carried[key].value);
    const outputs = this.#node('Loop', [most, '', ...states], { body: turns }, names.length + kept.length);
    return {
      last: record(names, (_, i) => outputs[i]!),
      all: record(kept, (_, i) => outputs[names.length + i]!),
    };
  }

  /**
   * Runs `body` on every slice of the inputs along their first axis, which is as long in all of them. It may read every value made before.
   * @returns what the runs gave, float32, stacked along a new first axis; each is written to its place at once, while a loop keeps a second copy of all
   */
  scan(inputs: readonly TypedValue[], body: (slices: readonly Value[]) => Value): Value {
    const name = `${this.#scope}scan_${this.#counter++}`;
    const slices = inputs.map(({ type }, i): TypedName => [`${name}/${i}`, type]);
    const each = this.#subgraph('body', slices, () => [[body(slices.map(([slice]) => slice)), 'float32']]);
    const values = inputs.map(({ value }) => value);
    return this.op('Scan', values, { body: each, num_scan_inputs: { int: inputs.length } });
  }

  /** The nodes that `build` adds, as a graph of their own. */
  #subgraph(name: string, inputs: readonly TypedName[], build: () => readonly TypedName[]) {
    const outer = this.#nodes;
    this.#nodes = [];
    const info = ([value, type, dimensions]: TypedName) => valueInfo(value, type, dimensions);
    try {
      const outputs = build();
      return {
        graph: create(GraphProtoSchema, {
          name,
          input: inputs.map(info),
          node: this.#early(this.#nodes),
          output: outputs.map(info),
        }),
      };
    } finally {
      this.#nodes = outer;
    }
  }

  /** A small float32 constant inside the graph file; equal constants are stored once. */
  floats(values: readonly number[] | Float32Array, dimensions?: readonly number[]): Value {
    return this.#constant('float32', Float32Array.from(values), dimensions ?? [values.length]);
  }

  /** A small int64 constant inside the graph file; equal constants are stored once. */
  ints(values: readonly number[], dimensions?: readonly number[]): Value {
    return this.#constant('int64', BigInt64Array.from(values, BigInt), dimensions ?? [values.length]);
  }

  /** Small 8-bit constants inside the graph file; signed or not as the array is. */
  bytes(values: Uint8Array | Int8Array, dimensions: readonly number[]): Value {
    return this.#constant(values instanceof Int8Array ? 'int8' : 'uint8', values, dimensions);
  }

  /** A weight that lives in the external file beside the graph. Naming it twice gives the same tensor. */
  external(tensor: ExternalTensor): Value {
    if (this.#externals.has(tensor.name)) return tensor.name;
    this.#externals.set(tensor.name, tensor);
    const entries = { location: tensor.file, offset: String(tensor.offset), length: String(tensor.sizeBytes) };
    this.#graph.initializer.push(
      create(TensorProtoSchema, {
        name: tensor.name,
        dataType: DATA_TYPES[tensor.type],
        dims: tensor.dimensions.map(BigInt),
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: Object.entries(entries).map(([key, value]) =>
          create(StringStringEntryProtoSchema, { key, value }),
        ),
      }),
    );
    return tensor.name;
  }

  /** The weights that the graph names so far. */
  get externals(): readonly ExternalTensor[] {
    return [...this.#externals.values()];
  }

  /**
   * Nodes that read constants alone (a weight being widened) first. The runtime runs nodes in an order that it finds from
   * the outputs backwards, of a node's inputs the one that stands last in the file before the others: so every weight is widened
   * right before it is used, after what it is multiplied with, and not all of them before the first layer.
   */
  #early(nodes: readonly NodeProto[]): NodeProto[] {
    const constants = new Set(this.#graph.initializer.map(({ name }) => name));
    const early = (node: NodeProto) => node.input.every((input) => constants.has(input));
    return [...nodes.filter(early), ...nodes.filter((node) => !early(node))];
  }

  /** The finished graph as the bytes of an `.onnx` file. */
  toBytes(): Uint8Array {
    this.#graph.node = this.#early(this.#graph.node);
    return toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        irVersion: IR_VERSION,
        producerName: 'directed-kvcache',
        graph: this.#graph,
        opsetImport: [
          create(OperatorSetIdProtoSchema, { domain: '', version: OPSET_VERSION }),
          create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
        ],
      }),
    );
  }

  #node(
    type: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    count: number,
    wanted?: readonly boolean[],
  ): Value[] {
    const separator = type.lastIndexOf('.');
    const name = `${this.#scope}${type.slice(separator + 1)}_${this.#counter++}`;
    const output = Array.from({ length: count }, (_, i) => (wanted?.[i] === false ? '' : `${name}:${i}`));
    this.#nodes.push(
      create(NodeProtoSchema, {
        name,
        domain: type.slice(0, Math.max(separator, 0)),
        opType: type.slice(separator + 1),
        input: [...inputs],
        output,
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
      }),
    );
    return output;
  }

  #constant(
    type: ElementType,
    data: Float32Array | BigInt64Array | Uint8Array | Int8Array,
    dimensions: readonly number[],
  ): Value {
    const bytes = new Uint8Array(data.slice().buffer);
    const key = `${type}[${dimensions}]${Buffer.from(bytes).toString('base64')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.#constants.size}`;
    this.#constants.set(key, name);
    this.#graph.initializer.push(
      create(TensorProtoSchema, {
        name,
        dataType: DATA_TYPES[type],
        dims: dimensions.map(BigInt),
        rawData: bytes,
      }),
    );
    return name;
  }
}

function record<Key extends string, T>(keys: readonly Key[], of: (key: Key, index: number) => T) {
  return Object.fromEntries(keys.map((key, i) => [key, of(key, i)])) as Record<Key, T>;
}

function attributeProto(name: string, value: Attribute) {
  if (Array.isArray(value)) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  }
  const scalar = value as Exclude<Attribute, readonly number[]>;
  if ('int' in scalar) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(scalar.int) });
  }
  if ('graph' in scalar) return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: scalar.graph });
  if ('float' in scalar) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: scalar.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(scalar.text) });
}

/** @param dimensions unknown when left out */
function valueInfo(name: string, type: ElementType, dimensions?: Dimensions) {
  const dim = dimensions?.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof size === 'number'
          ? { case: 'dimValue' as const, value: BigInt(size) }
          : { case: 'dimParam' as const, value: size },
    }),
  );
  const tensor = create(TypeProto_TensorSchema, {
    elemType: DATA_TYPES[type],
    ...(dim && { shape: create(TensorShapeProtoSchema, { dim }) }),
  });
  return create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } }),
  });
}
