/** Rotary position embedding. */
import type { Value } from './builder.js';
import { type GraphContext, sizeOf } from './context.js';
import { isForCpu } from './target.js';

/** Rotates [batch, rows, heads * head_dim] by position. */
export type Rotate<Kind> = (x: Value, heads: number, kind: Kind) => Value;

/** The inverse frequencies, theta^(-2i/d) / factor for i < d/2, each step rounded to float32 as the reference does. */
export function inverseFrequencies(
  headDim: number,
  { theta, factor }: { readonly theta: number; readonly factor: number },
): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const power = Math.fround(theta ** Math.fround((2 * i) / headDim));
    return Math.fround(Math.fround(1 / power) / factor);
  });
}

/**
 * Rotate-half. Angles are float32(position) * float32(inverse frequency), as in the reference: in float64 the cosines would differ by up
 * to 3e-4 at position 8191.
 * @param positions [batch, rows] integers
 * @param frequencies of each kind of layer; angles are made once a kind
 */
export function rotary<Kind>(
  { graph, target }: Pick<GraphContext, 'graph' | 'target'>,
  positions: Value,
  frequencies: (kind: Kind) => Float32Array,
): Rotate<Kind> {
  const forCpu = isForCpu(target);
  const float = graph.op('Cast', [positions], { to: { int: 1 } });
  const column = forCpu
    ? graph.op('Unsqueeze', [float, graph.ints([-1])])
    : graph.op('Reshape', [float, graph.ints([-1, 1])]);
  // The runtime's operator looks angles up: each row has a place of its own.
  const numbers = forCpu ? '' : placesOfRows(graph, positions);
  const made = new Map<Kind, { cos: Value; sin: Value }>();
  return (x, heads, kind) => {
    let angles = made.get(kind);
    if (!angles) {
      const radians = graph.op('Mul', [column, graph.floats(frequencies(kind))]);
      angles = { cos: graph.op('Cos', [radians]), sin: graph.op('Sin', [radians]) };
      made.set(kind, angles);
    }
    const attributes = { num_heads: { int: heads } };
    if (forCpu) return graph.op('RotaryEmbedding', [x, angles.cos, angles.sin], attributes);
    return graph.op('com.microsoft.RotaryEmbedding', [x, numbers, angles.cos, angles.sin], attributes);
  };
}

/** The places of rows, 0, 1, ... int64, in the shape of `like`, [batch, rows]. */
function placesOfRows(graph: GraphContext['graph'], like: Value): Value {
  const count = graph.op('Mul', [sizeOf(graph, like, 0), sizeOf(graph, like, 1)]);
  const range = graph.op('Range', [graph.ints([0], []), graph.op('Squeeze', [count]), graph.ints([1], [])]);
  return graph.op('Reshape', [range, graph.op('Shape', [like])]);
}
