/** Norms, over the last axis. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';
import type { ScaleForm } from './layout.js';
import { isForCpu } from './target.js';

/** How a family's norms compute. */
export interface NormKind {
  readonly epsilon: number;
  /** The form of a stored weight w: a scale of w or of 1 + w. */
  readonly form: ScaleForm;
}

/** RMSNorm: x / sqrt(mean(x^2) + eps) * scale. @param name canonical name of the weight */
export function rmsNorm(context: GraphContext, { epsilon, form }: NormKind, x: Value, name: string): Value {
  const { graph, layout, target } = context;
  const scale = layout.normScale(graph, name, form);
  // ONNX's own and, before it had one, the runtime's.
  const type = isForCpu(target) ? 'RMSNormalization' : 'SimplifiedLayerNormalization';
  return graph.op(type, [x, scale], { axis: { int: -1 }, epsilon: { float: epsilon } });
}

/** Canonical names of a LayerNorm's weight and bias. */
export interface LayerNormNames {
  readonly weight: string;
  readonly bias: string;
}

/** LayerNorm: (x - mean(x)) / sqrt(variance(x) + eps) * weight + bias. */
export function layerNorm(
  { graph, layout }: GraphContext,
  epsilon: number,
  x: Value,
  { weight, bias }: LayerNormNames,
): Value {
  const parts = [x, layout.normScale(graph, weight, 'copy'), layout.plain(graph, bias)];
  return graph.op('LayerNormalization', parts, { axis: { int: -1 }, epsilon: { float: epsilon } });
}
