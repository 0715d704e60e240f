/**
 * Reads states that waiting items name, in the order in which these came, a little ahead of what is computed: no more is held at a time than
 * a number of bytes. Items that name the same states share them, and those are read once while anybody waits for them.
 */
import { DkvError, messageOf } from '../base/errors.js';
import { type NamedStates, PRIORITIES, type Priority, type States, type StatesSource } from './engine.js';

/** States held at a time for each class of requests: bulk requests cannot take the room of interactive ones. */
const HELD_BYTES = 128 * 1024 ** 2;
/** The first read is small, so that there is something to compute soon. */
const FIRST_READ = 16;
const LARGEST_READ = 64;

/** States that somebody uses. */
export interface Held {
  readonly states: States;
  /** Releases the states. Each receiver calls it once. */
  release(): void;
}

export interface Want {
  readonly named: NamedStates;
  readonly priority: Priority;
  /** The request: a read for several of them that fails is repeated for each alone. */
  readonly owner: object;
  /** Tells whether nobody waits for the states any more. */
  isGone(): boolean;
  take(held: Held): void;
  /** Answers that there are no such states. */
  refuse(error: DkvError): void;
  /** Answers that the source has failed. */
  fail(error: Error): void;
}

interface Entry {
  /** The states; undefined while they are being read. */
  held: Held | undefined;
  users: number;
  /** The wants to serve when the states are there. */
  readonly wants: Want[];
}

/** What is read in one go. */
interface Read {
  readonly entries: ReadonlyMap<string, Entry>;
  /** The request that the read is for alone, because a read for several failed. */
  readonly alone: object | undefined;
}

interface Lane {
  /** The wants that no read has begun for. */
  readonly wants: Want[];
  isReading: boolean;
  heldBytes: number;
  /** The bytes of each of the last states read, by which the next read is sized. */
  bytesEach: number | undefined;
}

export class StatesReader {
  readonly #lanes = Object.fromEntries(
    PRIORITIES.map((priority) => [priority, { wants: [], isReading: false, heldBytes: 0, bytesEach: undefined }]),
  ) as unknown as Readonly<Record<Priority, Lane>>;
  readonly #entries = new Map<StatesSource, Map<string, Entry>>();
  /** Wants that were in a failed read for several requests. */
  readonly #alone = new WeakSet<Want>();
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
        const read = this.#nextRead(lane);
        if (!read) return;
        await this.#readInto(read, lane, priority);
      }
    } finally {
      lane.isReading = false;
    }
  }

  /** What is read in one go: of one source, as one model. Wants for what is there, or on its way, are served without. */
  #nextRead(lane: Lane): Read | undefined {
    const room = HELD_BYTES - lane.heldBytes;
    const most =
      lane.bytesEach === undefined
        ? FIRST_READ
        : Math.min(LARGEST_READ, Math.max(lane.heldBytes > 0 ? 0 : 1, Math.floor(room / lane.bytesEach)));
    const entries = new Map<string, Entry>();
    let first: Want | undefined;
    let taken = 0;
    for (const want of lane.wants) {
      if (!want.isGone()) {
        const { source, key, fingerprints } = want.named;
        const isApart = first && first.owner !== want.owner && (this.#alone.has(first) || this.#alone.has(want));
        if (isApart) break;
        const known = this.#entryOf(want.named);
        if (known) {
          this.#serve(want, known);
        } else {
          const { named } = first ?? want;
          const fits = named.source === source && String(named.fingerprints) === String(fingerprints);
          if (!fits || entries.size >= most) break;
          first ??= want;
          const entry: Entry = { held: undefined, users: 0, wants: [want] };
          entries.set(key, entry);
          const ofSource = this.#entries.get(source) ?? new Map<string, Entry>();
          this.#entries.set(source, ofSource.set(nameOf(key, fingerprints), entry));
        }
      }
      taken++;
    }
    lane.wants.splice(0, taken);
    return first && { entries, alone: this.#alone.has(first) ? first.owner : undefined };
  }

  /** Throws nothing: whatever goes wrong is told to who wanted the states. */
  async #readInto(read: Read, lane: Lane, priority: Priority): Promise<void> {
    const { entries } = read;
    const keys = [...entries.keys()];
    const { source, fingerprints } = entries.get(keys[0]!)!.wants[0]!.named;
    let found: readonly (States | DkvError)[];
    try {
      found = answersTo(keys, await source.statesOf(keys, fingerprints, this.#closed.signal));
    } catch (error) {
      for (const key of keys) this.#forget(source, nameOf(key, fingerprints));
      this.#failed(read, sourceError(error));
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

  /** One request's bad key must not spoil the others: what several wanted is read again for each of them. */
  #failed({ entries, alone }: Read, error: DkvError): void {
    const wants = [...entries.values()].flatMap((entry) => entry.wants);
    const owners = new Set(wants.map(({ owner }) => owner));
    for (const owner of owners) {
      const own = wants.filter((want) => want.owner === owner);
      if (owners.size === 1 || owner === alone) {
        for (const want of own) want.fail(error);
        continue;
      }
      for (const want of own) this.#alone.add(want);
      this.read(own);
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

/**
 * Checks what a source gave, since a source may be any code.
 * @throws DkvError INPUT_INVALID
 */
export function answersTo(keys: readonly string[], found: unknown): (States | DkvError)[] {
  if (!Array.isArray(found) || found.length !== keys.length) {
    const what = Array.isArray(found) ? `${found.length} answers` : typeof found;
    throw new DkvError(
      'INPUT_INVALID',
      `A source of states was asked for ${keys.length} keys and gave ${what}; expected an array with one answer a key.`,
    );
  }
  return keys.map((key, i): States | DkvError => {
    const own: unknown = found[i];
    if (own instanceof DkvError) return own;
    if (own instanceof Error) return sourceError(own);
    const { rows, width, data } = (own ?? {}) as Partial<States>;
    const isWhole = [rows, width].every((count) => Number.isInteger(count) && count! >= 0);
    if (isWhole && data instanceof Float32Array && data.length === rows! * width!) return own as States;
    return new DkvError(
      'INPUT_INVALID',
      `What a source of states gave for ${JSON.stringify(key)} is neither states (rows, width and a Float32Array of rows * width numbers) nor a DkvError.`,
    );
  });
}

function sourceError(error: unknown): DkvError {
  return error instanceof DkvError
    ? error
    : new DkvError('ENGINE_FAILED', `A source of states failed: ${messageOf(error)}`);
}

function nameOf(key: string, fingerprints: readonly string[]): string {
  return JSON.stringify([key, fingerprints]);
}
