/** What an ONNX graph is made of, as plain data: what a builder makes and what a file is written from. */

/** The name of a tensor in the graph. */
export type Value = string;

/** The sizes of a tensor: numbers known when the graph is built and names for those known when it runs, such as `['batch', 'rows', 640]`. */
export type Dimensions = readonly (number | string)[];

export const ELEMENT_TYPES = ['float32', 'float16', 'bfloat16', 'uint8', 'int8', 'int32', 'int64', 'bool'] as const;
export type ElementType = (typeof ELEMENT_TYPES)[number];

export interface TypedValue {
  readonly value: Value;
  readonly type: ElementType;
}

/** An input or output of a graph within the graph; its shape is unknown unless it is said. */
export type TypedName = readonly [value: Value, type: ElementType, dimensions?: Dimensions];

/** A slice of the external weights file. */
export interface ExternalTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dimensions: readonly number[];
  readonly file: string;
  readonly offset: number;
  readonly sizeBytes: number;
}

export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly type: ElementType }
  | { readonly graph: GraphParts }
  | readonly number[];

export interface NodePart {
  readonly name: string;
  /** The operator's name, behind its domain and a dot where it is not ONNX's own. */
  readonly type: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A constant inside the graph file. */
export interface InlineTensor {
  readonly name: string;
  readonly type: ElementType;
  readonly dimensions: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Which operators nodes are of. For the `cpu` those of 23, which brought grouped-query `Attention`, `RotaryEmbedding` and `RMSNormalization`. For a `device`
 * those of 18: newer versions of the same operators (`Cos`, `Equal`, `Loop`) differ in types alone that are not used, and providers of other devices (WebGPU's of
 * 1.30, CUDA's by its list of kernels) have kernels of the older ones only.
 */
export type Dialect = 'cpu' | 'device';

export interface GraphParts {
  readonly name: string;
  readonly inputs: readonly TypedName[];
  readonly outputs: readonly TypedName[];
  readonly nodes: readonly NodePart[];
  readonly tensors: readonly (InlineTensor | ExternalTensor)[];
}
