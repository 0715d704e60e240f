/** Activations of feed-forward networks, by the names of Hugging Face configs. */
import type { GraphBuilder, Value } from './builder.js';

export const ACTIVATIONS = {
  relu: (graph: GraphBuilder, x: Value) => graph.op('Relu', [x]),
  gelu: (graph: GraphBuilder, x: Value) => graph.op('Gelu', [x], { approximate: { text: 'none' } }),
  gelu_tanh: (graph: GraphBuilder, x: Value) => graph.op('Gelu', [x], { approximate: { text: 'tanh' } }),
  silu: (graph: GraphBuilder, x: Value) => graph.op('Mul', [x, graph.op('Sigmoid', [x])]),
} as const;

export type Activation = keyof typeof ACTIVATIONS;
