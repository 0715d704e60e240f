/** The items of a request that may be computed now, by what they can share a batch with. */
import { type Group, type ItemSize, type Shape, shapeOf } from './batching.js';

interface Ready extends Shape {
  readonly kind: string;
  readonly items: { readonly place: number; readonly memory: number }[];
  isSorted: boolean;
}

export class ReadyItems {
  readonly #groups = new Map<string, Ready>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  has(kind: string): boolean {
    return [...this.#groups.values()].some((group) => group.kind === kind);
  }

  groups(): Group[] {
    return [...this.#groups.values()].map(({ items, kind, rows, memoryRows }) => ({
      kind,
      rows,
      memoryRows,
      count: items.length,
    }));
  }

  /** @param place in the request */
  add(place: number, kind: string, size: ItemSize): void {
    const shape = shapeOf(size);
    const key = keyOf({ kind, ...shape });
    const group = this.#groups.get(key) ?? { kind, ...shape, items: [], isSorted: true };
    group.items.push({ place, memory: size.memory?.id ?? 0 });
    group.isSorted = false;
    this.#groups.set(key, group);
    this.#count++;
  }

  /**
   * Takes this many items out of a group; those that read the same rows come one after the other.
   * @returns their places
   */
  take(of: Shape & { readonly kind: string }, count: number): number[] {
    const key = keyOf(of);
    const group = this.#groups.get(key)!;
    // The last ones are taken, which moves none.
    if (!group.isSorted) group.items.sort((a, b) => b.memory - a.memory || b.place - a.place);
    group.isSorted = true;
    const taken = group.items.splice(-count).reverse();
    if (group.items.length === 0) this.#groups.delete(key);
    this.#count -= taken.length;
    return taken.map(({ place }) => place);
  }

  /** Takes all items out. @returns their places */
  clear(): number[] {
    const places = [...this.#groups.values()].flatMap(({ items }) => items.map(({ place }) => place));
    this.#groups.clear();
    this.#count = 0;
    return places;
  }
}

function keyOf({ kind, rows, memoryRows }: Shape & { readonly kind: string }): string {
  return `${rows},${memoryRows},${kind}`;
}
