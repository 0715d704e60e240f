/**
 * The language-model head. The vocabulary is gone through in chunks, so that no [rows, vocabulary] tensor exists while scoring.
 */
import type { Value } from './builder.js';
import type { GraphContext } from './layers.js';

/**
 * Negative log-likelihood of target tokens, in nats: logsumexp(logits) - logits[target].
 * @param hidden [n, hidden], after the final norm
 * @param targets [n] int64
 * @returns [n] float32
 */
export function tokenNlls(context: GraphContext, hidden: Value, targets: Value): Value {
  const { graph, layout } = context;
  const { rows, chunks, vocabularyAxis } = layout.logits(graph, hidden);
  const axis = graph.ints([vocabularyAxis]);
  const keep = { keepdims: { int: 1 } };
  // max + log(sum(exp(x - max))), spelled out: the runtime's ReduceLogSumExp walks the first axis with a stride.
  const logSumExp = (x: Value) => {
    const max = graph.op('ReduceMax', [x, axis], keep);
    const sum = graph.op('ReduceSum', [graph.op('Exp', [graph.op('Sub', [x, max])]), axis], keep);
    return graph.op('Add', [max, graph.op('Log', [sum])]);
  };
  const partial = chunks.map((chunk) => logSumExp(softcap(context, chunk)));
  const joined = graph.op('Concat', partial, { axis: { int: vocabularyAxis } });
  const total = graph.op('Squeeze', [logSumExp(joined), axis]);

  const products = graph.op('Mul', [rows, layout.embed(graph, targets)]);
  const target = graph.op('ReduceSum', [products, graph.ints([1])], { keepdims: { int: 0 } });
  return graph.op('Sub', [total, softcap(context, target)]);
}

/**
 * Logits of a few rows, for choosing the next token.
 * @param hidden [n, hidden], after the final norm
 * @returns [n, vocabulary] float32
 */
export function nextTokenLogits(context: GraphContext, hidden: Value): Value {
  const { graph, layout } = context;
  const { chunks, vocabularyAxis } = layout.logits(graph, hidden);
  const joined = graph.op('Concat', chunks, { axis: { int: vocabularyAxis } });
  return softcap(context, vocabularyAxis === 0 ? graph.op('Transpose', [joined], { perm: [1, 0] }) : joined);
}

/** cap * tanh(logits / cap), where the config asks for it. */
function softcap({ graph, config }: GraphContext, logits: Value): Value {
  const cap = config.finalLogitSoftcap;
  if (cap === null) return logits;
  const squashed = graph.op('Tanh', [graph.op('Div', [logits, graph.floats([cap])])]);
  return graph.op('Mul', [squashed, graph.floats([cap])]);
}
