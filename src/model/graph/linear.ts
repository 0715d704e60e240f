/** Linear maps with a bias. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';

/** Canonical names of a weight [out, in] and its bias [out]. */
export interface LinearNames {
  readonly weight: string;
  readonly bias: string;
}

/**
 * Several linear maps that read the same rows.
 * @param x [n, in] float32
 * @returns one [n, out] float32 per name
 */
export function linear(context: GraphContext, x: Value, names: readonly LinearNames[]): Value[] {
  return biased(context, context.layout.project(context.graph, x, weightsOf(names)), names);
}

/** Several linear maps of the encoder's states, as the decoder reads them. */
export function linearOfStates(context: GraphContext, states: Value, names: readonly LinearNames[]): Value[] {
  return biased(context, context.layout.projectStates(context.graph, states, weightsOf(names)), names);
}

/** A feed-forward network without a gated product: down(activate(up(x))). @param x [n, in] float32 @returns [n, in] float32 */
export function linearFeedForward(
  { graph, layout }: GraphContext,
  x: Value,
  { up, down }: { readonly up: LinearNames; readonly down: LinearNames },
  activate: (x: Value) => Value,
): Value {
  const plus = (rows: Value, { bias }: LinearNames) => graph.op('Add', [rows, layout.plain(graph, bias)]);
  const fed = layout.feedForward(graph, x, { gate: up.weight, down: down.weight }, (rows) => activate(plus(rows, up)));
  return plus(fed, down);
}

function weightsOf(names: readonly LinearNames[]): string[] {
  return names.map(({ weight }) => weight);
}

function biased({ graph, layout }: GraphContext, products: readonly Value[], names: readonly LinearNames[]): Value[] {
  return products.map((product, i) => graph.op('Add', [product, layout.plain(graph, names[i]!.bias)]));
}
