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
  type TensorShapeProto,
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

export type ElementType = 'float32' | 'bfloat16' | 'uint8' | 'int8' | 'int64' | 'bool';

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
  readonly #initializers = new Set<string>();
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
    const branch = (name: string, build: () => Value) => {
      const outer = this.#nodes;
      this.#nodes = [];
      try {
        const value = build();
        const output = create(ValueInfoProtoSchema, { name: value, type: tensorType(type) });
        return { graph: create(GraphProtoSchema, { name, node: this.#nodes, output: [output] }) };
      } finally {
        this.#nodes = outer;
      }
    };
    return this.op('If', [condition], { then_branch: branch('then', yes), else_branch: branch('else', no) });
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
    if (this.#initializers.has(tensor.name)) return tensor.name;
    this.#initializers.add(tensor.name);
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

  /**
   * The finished graph as the bytes of an `.onnx` file.
   *
   * Nodes that read constants alone (a weight being widened) stand first. The runtime runs nodes in an order that it finds from
   * the outputs backwards, of a node's inputs the one that stands last in the file before the others: so every weight is widened
   * right before it is used, after what it is multiplied with, and not all of them before the first layer.
   */
  toBytes(): Uint8Array {
    const constants = new Set(this.#graph.initializer.map(({ name }) => name));
    const early = (node: NodeProto) => node.input.every((input) => constants.has(input));
    this.#graph.node = [...this.#graph.node.filter(early), ...this.#graph.node.filter((node) => !early(node))];
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

function valueInfo(name: string, type: ElementType, dimensions: Dimensions) {
  const dim = dimensions.map((size) =>
    create(TensorShapeProto_DimensionSchema, {
      value:
        typeof size === 'number'
          ? { case: 'dimValue' as const, value: BigInt(size) }
          : { case: 'dimParam' as const, value: size },
    }),
  );
  return create(ValueInfoProtoSchema, { name, type: tensorType(type, create(TensorShapeProtoSchema, { dim })) });
}

/** @param shape unknown when left out */
function tensorType(type: ElementType, shape?: TensorShapeProto) {
  const tensor = create(TypeProto_TensorSchema, { elemType: DATA_TYPES[type], ...(shape && { shape }) });
  return create(TypeProtoSchema, { value: { case: 'tensorType', value: tensor } });
}
