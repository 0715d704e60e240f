/**
 * What a thread that writes for a store passes through with each transaction, and what keeps a program from ending in the middle of one. A thread
 * is stopped between two instructions, also where it holds the lock for writing: its own cleanup then waits for that lock, and the program never
 * ends. So whoever ends the program shuts the gate first, which waits for the transaction that is under way.
 */
import { DkvError } from '../../base/errors.js';

const FREE = 0;
const BUSY = 1;
const SHUT = 2;

/** The longest wait for a transaction. It takes milliseconds; one that takes this long waits for a disk or another process that does not answer. */
const LONGEST_MS = 30_000;

export class LmdbGate {
  /** The memory that the two threads share. */
  readonly memory: SharedArrayBuffer;
  readonly #state: Int32Array;

  constructor(memory = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#state = new Int32Array(memory);
  }

  /**
   * Runs one transaction, whole.
   * @throws DkvError STORE_UNREACHABLE where the gate is shut
   */
  pass<T>(transaction: () => T): T {
    if (Atomics.compareExchange(this.#state, 0, FREE, BUSY) !== FREE) {
      throw new DkvError('STORE_UNREACHABLE', 'The program is ending; nothing more is written.');
    }
    try {
      return transaction();
    } finally {
      Atomics.store(this.#state, 0, FREE);
      Atomics.notify(this.#state, 0);
    }
  }

  /** Lets no further transaction begin, once the one under way has ended. Holds the thread that asks. */
  shut(): void {
    const until = Date.now() + LONGEST_MS;
    while (Atomics.compareExchange(this.#state, 0, FREE, SHUT) === BUSY && Date.now() < until) {
      Atomics.wait(this.#state, 0, BUSY, until - Date.now());
    }
  }
}

/** The gates of the threads that run. */
const open = new Set<LmdbGate>();

function shutAll(): void {
  for (const gate of open) gate.shut();
}

/** Shuts the gate when the program ends, until `leave` says that its thread has ended. */
export function keep(gate: LmdbGate): void {
  if (open.size === 0) process.on('exit', shutAll);
  open.add(gate);
}

export function leave(gate: LmdbGate): void {
  open.delete(gate);
  if (open.size === 0) process.off('exit', shutAll);
}
