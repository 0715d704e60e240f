/** The window of the encoder's sliding layers: who is in it, and how long inputs are cut so that each block has what its windows reach. */
import type { GraphBuilder, Value } from './builder.js';

/** The smallest block. Smaller ones would make the matrix products small. */
const SMALLEST_BLOCK = 128;

/** What local attention reads of the encoder's inputs. */
export interface MaskedRows {
  /** Token ids, [batch, rows] int64. */
  readonly tokenIds: Value;
  /** The mask of rows, [batch, rows] bool, false for padding. */
  readonly rowMask: Value;
  /** The mask of pairs, [batch | 1, rows | 1, rows | 1] bool. */
  readonly pairMask: Value;
}

/**
 * Bidirectional window w by row index: 0 <= q-k < ceil(w/2), or 0 < k-q < floor(w/2) + 1.
 * @param query float32 @param key float32, broadcasting against each other
 * @returns bool
 */
export function inWindow(graph: GraphBuilder, window: number, query: Value, key: Value): Value {
  const left = graph.floats([Math.ceil(window / 2)]);
  const right = graph.floats([Math.floor(window / 2) + 1]);
  return graph.both(
    graph.op('Greater', [key, graph.op('Sub', [query, left])]),
    graph.op('Less', [key, graph.op('Add', [query, right])]),
  );
}

/** The sizes of the blocks into which long inputs are cut. */
export function blockRows(window: number) {
  /** The number of keys on either side of a block that its rows can see. */
  const reach = Math.floor(window / 2);
  const block = Math.max(SMALLEST_BLOCK, reach);
  return { reach, block, span: block + 2 * reach };
}
