/**
 * Reads states that waiting items name, in the order in which these came, a little ahead of what is computed: no more is held at a time than
 * a number of bytes. Items that name the same states share them, and those are read once while anybody waits for them.
 */
import { DkvError } from '../base/errors.js';
import { type NamedStates, PRIORITIES, type Priority, type States, type StatesSource } from './engine.js';

/** States held at a time for each class of requests: bulk requests cannot take the room of interactive ones. */
const HELD_BYTES = 128 * 1024 ** 2;
/** The first read is small, so that there is something to compute soon. */
const FIRST_READ = 16;
const LARGEST_READ = 64;

/** States that somebody uses. */
export interface Held {
  readonly states: States;
  /** To be called once by each who was given them. */
  release(): void;
}

export interface Want {
  readonly named: NamedStates;
  readonly priority: Priority;
  /** Nobody waits for it any more. */
  isGone(): boolean;
  take(held: Held): void;
  /** There are no such states. */
  refuse(error: DkvError): void;
  /** The source has failed. */
  fail(error: Error): void;
}

interface Entry {
  /** Undefined while they are being read. */
  held: Held | undefined;
  users: number;
  /** To be served when they are there. */
  readonly wants: Want[];
}

interface Lane {
  /** That no read has been begun for. */
  readonly wants: Want[];
  isReading: boolean;
  heldBytes: number;
  /** Of the last states read, by which the next read is measured. */
  bytesEach: number | undefined;
}

export class StatesReader {
  readonly #lanes = Object.fromEntries(
    PRIORITIES.map((priority) => [priority, { wants: [], isReading: false, heldBytes: 0, bytesEach: undefined }]),
  ) as unknown as Readonly<Record<Priority, Lane>>;
  readonly #entries = new Map<StatesSource, Map<string, Entry>>();
  readonly #closed = new AbortController();

  /** Answers each want some time, by one of its callbacks, unless it is gone or the reader closed. */
  read(wants: readonly Want[]): void {
    for (const want of wants) this.#lanes[want.priority].wants.push(want);
    for (const priority of new Set(wants.map((want) => want.priority))) void this.#pump(priority);
  }

  close(): void {
    this.#closed.abort();
  }

  async #pump(priority: Priority): Promise<void> {
    const lane = this.#lanes[priority];
    if (lane.isReading) return;
    lane.isReading = true;
    try {
      while (!this.#closed.signal.aborted) {
        const entries = this.#nextRead(lane);
        if (!entries) return;
        await this.#readInto(entries, lane, priority);
      }
    } finally {
      lane.isReading = false;
    }
  }

  /** What is read in one go: of one source, as one model. Wants for what is there, or on its way, are served without. */
  #nextRead(lane: Lane): Map<string, Entry> | undefined {
    const room = HELD_BYTES - lane.heldBytes;
    const most =
      lane.bytesEach === undefined
        ? FIRST_READ
        : Math.min(LARGEST_READ, Math.max(lane.heldBytes > 0 ? 0 : 1, Math.floor(room / lane.bytesEach)));
    const entries = new Map<string, Entry>();
    let first: NamedStates | undefined;
    let taken = 0;
    for (const want of lane.wants) {
      if (!want.isGone()) {
        const { source, key, fingerprints } = want.named;
        const known = this.#entryOf(want.named);
        if (known) {
          this.#serve(want, known);
        } else {
          const fits = !first || (first.source === source && String(first.fingerprints) === String(fingerprints));
          if (!fits || entries.size >= most) break;
          first ??= want.named;
          const entry: Entry = { held: undefined, users: 0, wants: [want] };
          entries.set(key, entry);
          const ofSource = this.#entries.get(source) ?? new Map<string, Entry>();
          this.#entries.set(source, ofSource.set(nameOf(key, fingerprints), entry));
        }
      }
      taken++;
    }
    lane.wants.splice(0, taken);
    return entries.size > 0 ? entries : undefined;
  }

  async #readInto(entries: ReadonlyMap<string, Entry>, lane: Lane, priority: Priority): Promise<void> {
    const keys = [...entries.keys()];
    const { source, fingerprints } = entries.get(keys[0]!)!.wants[0]!.named;
    let found: readonly (States | DkvError)[];
    try {
      found = await source.statesOf(keys, fingerprints, this.#closed.signal);
    } catch (error) {
      for (const [key, { wants }] of entries) {
        this.#forget(source, nameOf(key, fingerprints));
        for (const want of wants) want.fail(error as Error);
      }
      return;
    }
    for (const [i, key] of keys.entries()) {
      const entry = entries.get(key)!;
      const own = found[i]!;
      if (own instanceof DkvError) {
        this.#forget(source, nameOf(key, fingerprints));
        for (const want of entry.wants) want.refuse(own);
        continue;
      }
      const { byteLength } = own.data;
      lane.heldBytes += byteLength;
      lane.bytesEach = byteLength;
      const held = {
        states: own,
        release: () => {
          entry.users--;
          if (entry.users > 0) return;
          this.#forget(source, nameOf(key, fingerprints));
          lane.heldBytes -= byteLength;
          void this.#pump(priority);
        },
      };
      // Held on our own account meanwhile: who is given them may have no use for them.
      entry.users = 1;
      entry.held = held;
      for (const want of entry.wants.splice(0)) this.#serve(want, entry);
      held.release();
    }
  }

  #entryOf({ source, key, fingerprints }: NamedStates): Entry | undefined {
    return this.#entries.get(source)?.get(nameOf(key, fingerprints));
  }

  #forget(source: StatesSource, name: string): void {
    const ofSource = this.#entries.get(source);
    ofSource?.delete(name);
    if (ofSource?.size === 0) this.#entries.delete(source);
  }

  #serve(want: Want, entry: Entry): void {
    if (!entry.held) {
      entry.wants.push(want);
    } else if (!want.isGone()) {
      entry.users++;
      want.take(entry.held);
    }
  }
}

function nameOf(key: string, fingerprints: readonly string[]): string {
  return JSON.stringify([key, fingerprints]);
}
