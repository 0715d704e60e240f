/** Positions that have rows of their own, which are added to the rows of tokens. */
import type { Value } from './builder.js';
import type { GraphContext } from './context.js';

export interface PositionTable {
  /** Canonical name of the table [offset + count, width]. */
  readonly name: string;
  /** Rows that stand before that of position 0. */
  readonly offset: number;
  /** Positions that there are. */
  readonly count: number;
}

/**
 * Padding may stand before the first position or beyond the last one; nobody looks at what it gets.
 * @param positions [batch, rows] int64; from 0 to count - 1, but for padding
 * @returns [batch * rows, width]
 */
export function learnedPositions({ graph, layout }: GraphContext, table: PositionTable, positions: Value): Value {
  const { name, offset, count } = table;
  const flat = graph.op('Reshape', [positions, graph.ints([-1])]);
  const known = graph.op('Clip', [flat, graph.ints([0], []), graph.ints([count - 1], [])]);
  return graph.op('Gather', [layout.plain(graph, name), graph.op('Add', [known, graph.ints([offset], [])])]);
}
