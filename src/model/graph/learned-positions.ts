/** Positions that have rows of their own, which are added to the rows of tokens. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';
import { indexType, isForCpu } from './target.js';

export interface PositionTable {
  /** The canonical name of the table, [offset + count, width]. */
  readonly name: string;
  /** The number of rows before that of position 0. */
  readonly offset: number;
  /** The number of positions. */
  readonly count: number;
}

/**
 * Gives each row's learned position. Padding may stand before the first position or beyond the last one; nobody looks at what it gets.
 * @param positions [batch, rows] integers from 0 to count - 1, except for padding
 * @returns [batch * rows, width]
 */
export function learnedPositions(context: GraphContext, table: PositionTable, positions: Value): Value {
  const { graph, layout, target } = context;
  const { name, offset, count } = table;
  const flat = graph.op('Reshape', [positions, graph.ints([-1])]);
  if (isForCpu(target)) {
    const known = graph.op('Clip', [flat, graph.ints([0], []), graph.ints([count - 1], [])]);
    return graph.op('Gather', [layout.plain(graph, name), graph.op('Add', [known, graph.ints([offset], [])])]);
  }
  // Devices clip float32 only, which holds positions exactly.
  const float = graph.op('Add', [graph.op('Cast', [flat], { to: { int: 1 } }), graph.floats([offset], [])]);
  const known = graph.op('Clip', [float, graph.floats([offset], []), graph.floats([offset + count - 1], [])]);
  return graph.op('Gather', [layout.plain(graph, name), graph.op('Cast', [known], { to: indexType(target).to })]);
}
