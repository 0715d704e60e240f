/** States that items name by source and key, found before anything is computed with them. */

import { DkvError } from '../base/errors.js';
import { allRows, eachOf, ItemsFailedError, type Memory, type NamedStates, type States } from './engine.js';

/** An item whose states are at hand. */
export type WithMemory<Item> = Omit<Item, 'memory'> & { readonly memory: Memory };

function isNamed(memory: Memory | NamedStates): memory is NamedStates {
  return 'source' in memory;
}

/**
 * Asks with states in place of their names, and without the items for whose names there are none.
 * @throws ItemsFailedError for these, with what the others gave
 */
export async function withNamedStates<Item extends { readonly memory: Memory | NamedStates }, Result>(
  items: readonly Item[],
  signal: AbortSignal | undefined,
  request: (items: readonly WithMemory<Item>[]) => Promise<readonly Result[]>,
): Promise<Result[]> {
  if (!items.some(({ memory }) => isNamed(memory))) return [...(await request(items as readonly WithMemory<Item>[]))];
  const found = await statesOfAll(items, signal);
  const ready = items.flatMap((item, i): WithMemory<Item>[] => {
    const { memory } = item;
    if (!isNamed(memory)) return [{ ...item, memory }];
    const states = found.get(i)!;
    return states instanceof DkvError ? [] : [{ ...item, memory: [allRows(states)] }];
  });
  const made = (await eachOf(ready, request)).values();
  const errors = new Map<number, DkvError>();
  const results = items.map((_, i) => {
    const states = found.get(i);
    const own = states instanceof DkvError ? states : made.next().value!;
    if (!(own instanceof DkvError)) return own;
    errors.set(i, own);
    return undefined;
  });
  if (errors.size > 0) throw new ItemsFailedError(errors, results);
  return results as Result[];
}

/** By the place of the item that names them; each key is read once. */
async function statesOfAll(
  items: readonly { readonly memory: Memory | NamedStates }[],
  signal: AbortSignal | undefined,
): Promise<Map<number, States | DkvError>> {
  const reads = new Map<NamedStates['source'], Map<string, { named: NamedStates; places: Map<string, number[]> }>>();
  for (const [place, { memory }] of items.entries()) {
    if (!isNamed(memory)) continue;
    const ofSource = reads.get(memory.source) ?? new Map();
    reads.set(memory.source, ofSource);
    const model = memory.fingerprints.join();
    const read = ofSource.get(model) ?? { named: memory, places: new Map() };
    ofSource.set(model, read);
    const places = read.places.get(memory.key);
    if (places) places.push(place);
    else read.places.set(memory.key, [place]);
  }
  const found = new Map<number, States | DkvError>();
  for (const ofSource of reads.values()) {
    for (const { named, places } of ofSource.values()) {
      const states = await named.source.statesOf([...places.keys()], named.fingerprints, signal);
      for (const [i, own] of [...places.values()].entries()) for (const place of own) found.set(place, states[i]!);
    }
  }
  return found;
}
