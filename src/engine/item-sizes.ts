/** The sizes that items count with when batches are chosen. */

import type { ItemSize } from './batching.js';
import type { EncodeItem, GenerateItem, LogitsItem, Memory, ScoreItem, States } from './engine.js';
import type { WithMemory } from './runner.js';
import { memoryRows } from './tensors.js';

export function encodeSize({ tokenIds }: EncodeItem): ItemSize {
  return { rows: tokenIds.length };
}

export function scoreSize({ prompt, target, memory }: WithMemory<ScoreItem>, ids: MemoryIds): ItemSize {
  return { rows: prompt.length + target.length, memory: { rows: memoryRows(memory), id: ids.idOf(memory) } };
}

/** The size of an item whose decoder reads only its prompt at first. */
export function promptSize({ prompt, memory }: WithMemory<GenerateItem | LogitsItem>, ids: MemoryIds): ItemSize {
  return { rows: 1 + prompt.length, memory: { rows: memoryRows(memory), id: ids.idOf(memory) } };
}

/**
 * The kind of texts that may be written in one batch. A batch ends with its longest text, and one that is drawn at random makes it go token by
 * token.
 */
export function generateKind({ maxTokens, sampling }: GenerateItem): string {
  const most = 2 ** Math.ceil(Math.log2(maxTokens));
  return `${most}${sampling && sampling.temperature > 0 ? ' by chance' : ''}`;
}

/** Numbers memories, so that the same rows of the same states have the same number as long as the states exist. */
export class MemoryIds {
  readonly #states = new WeakMap<States, { readonly id: number; readonly first: Map<string, number> }>();
  #next = 1;

  idOf(memory: Memory): number {
    const [first] = memory;
    if (!first) return 0;
    const ranges = memory.map(({ states, start, end, masked }) => [this.#of(states).id, start, end, masked ?? false]);
    const known = this.#of(first.states).first;
    const key = ranges.join();
    const id = known.get(key) ?? this.#next++;
    known.set(key, id);
    return id;
  }

  #of(states: States) {
    const own = this.#states.get(states) ?? { id: this.#next++, first: new Map<string, number>() };
    this.#states.set(states, own);
    return own;
  }
}
