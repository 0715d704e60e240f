/** Activations of feed-forward networks, by the names of Hugging Face configs. */
import type { GraphBuilder, Value } from './builder.js';

export const ACTIVATIONS = {
  relu: (graph: GraphBuilder, x: Value) => graph.op('Relu', [x]),
  gelu: (graph: GraphBuilder, x: Value) =>
    isForCpu(graph) ? graph.op('Gelu', [x], { approximate: { text: 'none' } }) : graph.op('com.microsoft.Gelu', [x]),
  gelu_tanh: (graph: GraphBuilder, x: Value) =>
    isForCpu(graph)
      ? graph.op('Gelu', [x], { approximate: { text: 'tanh' } })
      : graph.op('com.microsoft.FastGelu', [x]),
  silu: (graph: GraphBuilder, x: Value) => graph.op('Mul', [x, graph.op('Sigmoid', [x])]),
} as const;

/** Tells whether a graph is for the CPU and takes ONNX's own operators, or the runtime's where ONNX's are too new. */
function isForCpu({ dialect }: GraphBuilder): boolean {
  return dialect === 'cpu';
}

export type Activation = keyof typeof ACTIVATIONS;
