/** Rotary position embedding. */
import type { GraphBuilder, Value } from './builder.js';

/** Rotates [batch, rows, heads * head_dim] by position. */
export type Rotate<Kind> = (x: Value, heads: number, kind: Kind) => Value;

/** theta^(-2i/d) / factor for i < d/2, each step rounded to float32 as the reference does. */
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
 * @param positions [batch, rows] int64
 * @param frequencies of each kind of layer; angles are made once a kind
 */
export function rotary<Kind>(
  graph: GraphBuilder,
  positions: Value,
  frequencies: (kind: Kind) => Float32Array,
): Rotate<Kind> {
  const column = graph.op('Unsqueeze', [graph.op('Cast', [positions], { to: { int: 1 } }), graph.ints([-1])]);
  const made = new Map<Kind, { cos: Value; sin: Value }>();
  return (x, heads, kind) => {
    let angles = made.get(kind);
    if (!angles) {
      const radians = graph.op('Mul', [column, graph.floats(frequencies(kind))]);
      angles = { cos: graph.op('Cos', [radians]), sin: graph.op('Sin', [radians]) };
      made.set(kind, angles);
    }
    return graph.op('RotaryEmbedding', [x, angles.cos, angles.sin], { num_heads: { int: heads } });
  };
}
