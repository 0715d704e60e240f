/** What items count when batches are planned. */

import type { ItemSize } from './batching.js';
import type { EncodeItem, GenerateItem, ScoreItem } from './engine.js';
import type { WithMemory } from './named-states.js';
import { distinctMemories, memoryRows } from './tensors.js';

export function encodeSizes(items: readonly EncodeItem[]): ItemSize[] {
  return items.map(({ tokenIds }) => ({ rows: tokenIds.length }));
}

export function scoreSizes(items: readonly WithMemory<ScoreItem>[]): ItemSize[] {
  const { which } = distinctMemories(items.map(({ memory }) => memory));
  return items.map(({ prompt, target, memory }, item) => ({
    rows: prompt.length + target.length,
    memory: { rows: memoryRows(memory), id: which[item]! },
  }));
}

export function generateSizes(items: readonly WithMemory<GenerateItem>[]): ItemSize[] {
  return items.map(({ prompt, memory }, item) => ({
    rows: 1 + prompt.length,
    memory: { rows: memoryRows(memory), id: item },
  }));
}
