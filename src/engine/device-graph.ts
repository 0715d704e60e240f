/**
 * A graph for another device than the CPU, given what its counterpart for the CPU is given. It takes token ids and positions as int32, and of the inputs only
 * those by which the host leaves nothing to decide.
 */
import type { Graph } from './runtime.js';
import { int32 } from './tensors.js';

const INDICES: readonly string[] = ['token_ids', 'positions', 'past_positions'];

export function deviceGraph(graph: Graph): Graph {
  return {
    ...graph,
    run(feeds, outputs) {
      const taken = Object.entries(feeds).filter(([name]) => graph.inputs.includes(name));
      const fitting = taken.map(([name, tensor]) => [
        name,
        INDICES.includes(name) && tensor.type === 'int64' ? int32(tensor.data as BigInt64Array, tensor.dims) : tensor,
      ]);
      return graph.run(Object.fromEntries(fitting), outputs);
    },
  };
}
