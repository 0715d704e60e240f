/** Ends of graphs that hold a part of a model: rows that come from the part before, and go to the one behind. */
import type { GraphModel, Stack } from './blocks.js';
import type { GraphBuilder, Value } from './builder.js';
import { rowShape } from './context.js';
import { indexType } from './target.js';

/**
 * The input `hidden` [batch, rows, width] of a part.
 * @returns [batch * rows, width]
 */
export function hiddenInput(graph: GraphBuilder, width: number): Value {
  const hidden = graph.input('hidden', 'float32', ['batch', 'rows', width]);
  return graph.op('Reshape', [hidden, graph.ints([-1, width])]);
}

/** Makes the output `hidden_out` [batch, rows, width] of a part. */
export function outputHidden(graph: GraphBuilder, hidden: Value, shape: Value, width: number): void {
  graph.output('hidden_out', graph.op('Reshape', [hidden, shape]), 'float32', ['batch', 'rows', width]);
}

/**
 * Makes the rows that the first layer reads.
 * @param rows rows of tokens
 */
export function firstRows(stack: Stack, rows: Value): Value {
  return stack.begin?.(rows) ?? rows;
}

/** Rows of tokens by themselves, of both sides. Input `token_ids` [batch, rows], as the target has indices; output `hidden_out` [batch, rows, width]. */
export function buildEmbedding({ graph, blocks, target }: GraphModel): void {
  const tokenIds = graph.input('token_ids', indexType(target).type, ['batch', 'rows']);
  outputHidden(graph, blocks.embed(tokenIds), rowShape(graph, tokenIds), blocks.decoderShape.width);
}
