/** Rows of tokens: from the table, or brought by the host where the graph is to do without it. */
import type { Value } from './builder.js';
import { flatIds, type GraphContext } from './context.js';

/** The input by which the host brings rows, [batch, rows, width] float32, as they stand in the table. */
export const TOKEN_ROWS = 'token_rows';

/**
 * Rows of a table times a number.
 * @param table canonical name of a tensor [vocabulary, width]
 * @param tokenIds [batch, rows] int64
 * @returns [batch * rows, width]
 */
export function tokenRows(
  { graph, layout, target }: GraphContext,
  { table, width, scale }: { readonly table: string; readonly width: number; readonly scale: number },
  tokenIds: Value,
): Value {
  if (!target.givenRows) return layout.embed(graph, table, flatIds(graph, tokenIds), scale);
  const given = graph.input(TOKEN_ROWS, 'float32', ['batch', 'rows', width]);
  const rows = graph.op('Reshape', [given, graph.ints([-1, width])]);
  return scale === 1 ? rows : graph.op('Mul', [rows, graph.floats([scale])]);
}
