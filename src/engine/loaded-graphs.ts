/**
 * The graphs of a model that are loaded. On a device with too little memory for all of them those that were not used for longest make room for the
 * next: each holds weights of its own there.
 */
import { DkvError } from '../base/errors.js';
import type { Graph } from './runtime.js';

/** A graph that is wanted. */
export interface WantedGraph {
  /** A key that is equal for the same graph. */
  readonly key: string;
  /** The bytes that the graph takes of the memory that is counted. */
  readonly bytes: () => number;
  readonly load: () => Promise<Graph>;
}

interface Loaded {
  readonly graph: Graph;
  readonly bytes: number;
  /** The number of works that run on it. */
  users: number;
  /** Called when the last of them has ended. */
  idle: (() => void) | undefined;
}

export class LoadedGraphs {
  readonly #mostBytes: number;
  /** The loaded graphs by key; the one used last stands last. */
  readonly #loaded = new Map<string, Loaded>();
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** @param mostBytes that may be held at a time; more is held only for graphs that are needed together */
  constructor(mostBytes = Number.POSITIVE_INFINITY) {
    this.#mostBytes = mostBytes;
  }

  /**
   * Calls `use` with graphs that stay loaded until it has ended. A graph that fails to load is tried again the next time.
   * @throws DkvError ENGINE_CLOSED, and what loading or `use` throws
   */
  async with<T>(wanted: readonly WantedGraph[], use: (graphs: readonly Graph[]) => Promise<T>): Promise<T> {
    const taken = this.#turn.then(() => this.#take(wanted));
    this.#turn = taken.catch(() => undefined);
    const held = await taken;
    try {
      return await use(held.map(({ graph }) => graph));
    } finally {
      for (const one of held) leave(one);
    }
  }

  /** Releases all graphs after what is run on them. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    for (const [key, one] of [...this.#loaded]) await this.#release(key, one);
  }

  async #take(wanted: readonly WantedGraph[]): Promise<readonly Loaded[]> {
    const held: Loaded[] = [];
    try {
      for (const want of wanted) {
        if (this.#closed) throw new DkvError('ENGINE_CLOSED', 'The engine was closed.');
        const { key } = want;
        const one = this.#loaded.get(key) ?? (await this.#load(want, wanted));
        one.users++;
        this.#loaded.delete(key);
        this.#loaded.set(key, one);
        held.push(one);
      }
      return held;
    } catch (error) {
      for (const one of held) leave(one);
      throw error;
    }
  }

  async #load({ key, bytes: bytesOf, load }: WantedGraph, together: readonly WantedGraph[]): Promise<Loaded> {
    const bytes = this.#mostBytes === Number.POSITIVE_INFINITY ? 0 : bytesOf();
    const spare = [...this.#loaded].filter(([other]) => together.every((want) => want.key !== other));
    for (const [other, one] of spare) {
      if (this.#heldBytes() + bytes <= this.#mostBytes) break;
      await this.#release(other, one);
    }
    const one: Loaded = { graph: await load(), bytes, users: 0, idle: undefined };
    this.#loaded.set(key, one);
    return one;
  }

  #heldBytes(): number {
    return [...this.#loaded.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #release(key: string, one: Loaded): Promise<void> {
    if (one.users > 0) await new Promise<void>((resolve) => (one.idle = resolve));
    this.#loaded.delete(key);
    await one.graph.release();
  }
}

function leave(one: Loaded): void {
  if (--one.users === 0) one.idle?.();
}
