/** Writes a graph as an `.onnx` file: the one place that knows the format, whose schemas take long to load. */
import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
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
import type {
  Attribute,
  Dialect,
  ElementType,
  ExternalTensor,
  GraphParts,
  InlineTensor,
  NodePart,
  TypedName,
} from './graph-parts.js';

const DATA_TYPES: Record<ElementType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  uint8: TensorProto_DataType.UINT8,
  int8: TensorProto_DataType.INT8,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** The operator set of each dialect. */
const OPSET_VERSIONS: Record<Dialect, bigint> = { cpu: 23n, device: 18n };
const IR_VERSION = 11n;

/** The bytes of the file. */
export function onnxFile(graph: GraphParts, dialect: Dialect): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: IR_VERSION,
      producerName: 'directed-kvcache',
      graph: graphProto(graph),
      opsetImport: [
        create(OperatorSetIdProtoSchema, { domain: '', version: OPSET_VERSIONS[dialect] }),
        create(OperatorSetIdProtoSchema, { domain: 'com.microsoft', version: 1n }),
      ],
    }),
  );
}

function graphProto({ name, inputs, outputs, nodes, tensors }: GraphParts): GraphProto {
  return create(GraphProtoSchema, {
    name,
    input: inputs.map(valueInfo),
    node: nodes.map(nodeProto),
    output: outputs.map(valueInfo),
    initializer: tensors.map(tensorProto),
  });
}

function nodeProto({ name, type, inputs, outputs, attributes }: NodePart) {
  const separator = type.lastIndexOf('.');
  return create(NodeProtoSchema, {
    name,
    domain: type.slice(0, Math.max(separator, 0)),
    opType: type.slice(separator + 1),
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
  });
}

function tensorProto(tensor: InlineTensor | ExternalTensor) {
  const { name, type, dimensions } = tensor;
  const own = { name, dataType: DATA_TYPES[type], dims: dimensions.map(BigInt) };
  if ('bytes' in tensor) return create(TensorProtoSchema, { ...own, rawData: tensor.bytes });
  const entries = { location: tensor.file, offset: String(tensor.offset), length: String(tensor.sizeBytes) };
  return create(TensorProtoSchema, {
    ...own,
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) => create(StringStringEntryProtoSchema, { key, value })),
  });
}

function attributeProto(name: string, value: Attribute) {
  if (Array.isArray(value)) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  }
  const scalar = value as Exclude<Attribute, readonly number[]>;
  if ('int' in scalar) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(scalar.int) });
  }
  if ('type' in scalar) {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(DATA_TYPES[scalar.type]) });
  }
  if ('graph' in scalar)
    return create(AttributeProtoSchema, { name, type: AttributeType.GRAPH, g: graphProto(scalar.graph) });
  if ('float' in scalar) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: scalar.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(scalar.text) });
}

function valueInfo([name, type, dimensions]: TypedName) {
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
