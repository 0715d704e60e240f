/**
 * Builds an ONNX graph: inputs, operator nodes, small inline constants, weights in an external file, outputs.
 * Knows what such a graph is made of and nothing of the model.
 */
import type {
  Attribute,
  Dialect,
  Dimensions,
  ElementType,
  ExternalTensor,
  InlineTensor,
  NodePart,
  TypedName,
  TypedValue,
  Value,
} from './graph-parts.js';

export {
  type Dialect,
  type Dimensions,
  ELEMENT_TYPES,
  type ElementType,
  type ExternalTensor,
  type TypedValue,
  type Value,
} from './graph-parts.js';

/** The values that one turn of a loop gives. */
export interface Turn<Carried extends string, Kept extends string> {
  /** A single bool: true where another turn follows. */
  readonly goOn: Value;
  /** The values for the next turn. */
  readonly carried: Record<Carried, Value>;
  /** The values kept of every turn. */
  readonly kept: Record<Kept, TypedValue>;
}

export class GraphBuilder {
  readonly dialect: Dialect;
  readonly #name: string;
  readonly #inputs: TypedName[] = [];
  readonly #outputs: TypedName[] = [];
  readonly #tensors: (InlineTensor | ExternalTensor)[] = [];
  readonly #ownNodes: NodePart[] = [];
  /** The list that nodes are added to: the graph's, or that of a branch being built. */
  #nodes = this.#ownNodes;
  readonly #externals = new Map<string, ExternalTensor>();
  readonly #constants = new Map<string, Value>();
  #scope = '';
  #counter = 0;

  constructor(name: string, dialect: Dialect = 'cpu') {
    this.#name = name;
    this.dialect = dialect;
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
    this.#inputs.push([name, type, dimensions]);
    return name;
  }

  /** Makes a value an output of the graph under a name of its own. */
  output(name: string, value: Value, type: ElementType, dimensions: Dimensions): void {
    const node = { name: `output/${name}`, type: 'Identity', inputs: [value], outputs: [name], attributes: {} };
    this.#ownNodes.push(node);
    this.#outputs.push([name, type, dimensions]);
  }

  /** Adds a node with one output. An empty input name stands for an optional input left out. */
  op(type: string, inputs: readonly Value[], attributes: Record<string, Attribute> = {}): Value {
    return this.#node(type, inputs, attributes, 1)[0]!;
  }

  /** Casts numbers to another type, rounded to the nearest. Numbers beyond what the type holds become infinite. */
  cast(x: Value, type: ElementType): Value {
    return this.op('Cast', [x], { to: { type } });
  }

  /**
   * A bool that is true where both are. It does not use `And`: the runtime's WebGPU provider (1.30) computes that one wrongly once the process has
   * run it on shapes that broadcast in another way. Nor does it use `Or`, which that provider does not have.
   */
  both(a: Value, b: Value): Value {
    if (this.dialect === 'device') {
      return this.cast(this.op('Mul', [this.cast(a, 'float32'), this.cast(b, 'float32')]), 'bool');
    }
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
      const free = new Set(this.#nodes.flatMap(({ outputs }) => outputs));
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
    try {
      const outputs = build();
      return { graph: { name, inputs, outputs, nodes: this.#early(this.#nodes), tensors: [] } };
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

  /** A small int32 constant inside the graph file; equal constants are stored once. */
  int32s(values: readonly number[], dimensions?: readonly number[]): Value {
    return this.#constant('int32', Int32Array.from(values), dimensions ?? [values.length]);
  }

  /** Small 8-bit constants inside the graph file; signed or not as the array is. */
  bytes(values: Uint8Array | Int8Array, dimensions: readonly number[]): Value {
    return this.#constant(values instanceof Int8Array ? 'int8' : 'uint8', values, dimensions);
  }

  /** A weight that lives in the external file beside the graph. Naming it twice gives the same tensor. */
  external(tensor: ExternalTensor): Value {
    if (this.#externals.has(tensor.name)) return tensor.name;
    this.#externals.set(tensor.name, tensor);
    this.#tensors.push(tensor);
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
  #early(nodes: readonly NodePart[]): NodePart[] {
    const constants = new Set(this.#tensors.map(({ name }) => name));
    const early = (node: NodePart) => node.inputs.every((input) => constants.has(input));
    return [...nodes.filter(early), ...nodes.filter((node) => !early(node))];
  }

  /** The nodes whose results are read, by other nodes, by graphs within them or as outputs: the runtime would compute the others as well. */
  #read(nodes: readonly NodePart[]): NodePart[] {
    const read = new Set(this.#outputs.map(([name]) => name));
    const kept: NodePart[] = [];
    for (const node of nodes.toReversed()) {
      if (!node.outputs.some((output) => read.has(output))) continue;
      kept.unshift(node);
      for (const input of inputsOf(node)) read.add(input);
    }
    return kept;
  }

  /** The finished graph as the bytes of an `.onnx` file. What writes it is loaded with the first: most processes run graphs that are there. */
  async toBytes(): Promise<Uint8Array> {
    const { onnxFile } = await import('./onnx-file.js');
    const nodes = this.dialect === 'device' ? this.#read(this.#ownNodes) : this.#ownNodes;
    return onnxFile(
      {
        name: this.#name,
        inputs: this.#inputs,
        outputs: this.#outputs,
        nodes: this.#early(nodes),
        tensors: this.#tensors,
      },
      this.dialect,
    );
  }

  #node(
    type: string,
    inputs: readonly Value[],
    attributes: Record<string, Attribute>,
    count: number,
    wanted?: readonly boolean[],
  ): Value[] {
    const name = `${this.#scope}${type.slice(type.lastIndexOf('.') + 1)}_${this.#counter++}`;
    const outputs = Array.from({ length: count }, (_, i) => (wanted?.[i] === false ? '' : `${name}:${i}`));
    this.#nodes.push({ name, type, inputs: [...inputs], outputs, attributes });
    return outputs;
  }

  #constant(
    type: ElementType,
    data: Float32Array | BigInt64Array | Int32Array | Uint8Array | Int8Array,
    dimensions: readonly number[],
  ): Value {
    const bytes = new Uint8Array(data.slice().buffer);
    const key = `${type}[${dimensions}]${Buffer.from(bytes).toString('base64')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = `constant_${this.#constants.size}`;
    this.#constants.set(key, name);
    this.#tensors.push({ name, type, dimensions, bytes });
    return name;
  }
}

/** The values that a node reads, those of nodes in graphs within it included. */
function inputsOf({ inputs, attributes }: NodePart): Value[] {
  const inner = Object.values(attributes).flatMap((value) => ('graph' in value ? value.graph.nodes : []));
  return [...inputs, ...inner.flatMap(inputsOf)];
}

function record<Key extends string, T>(keys: readonly Key[], of: (key: Key, index: number) => T) {
  return Object.fromEntries(keys.map((key, i) => [key, of(key, i)])) as Record<Key, T>;
}
