/**
 * Memory for the states of records that are read together: shared with other threads, so that an engine's thread is handed them without a
 * copy, and cut from large pieces, because asking the system for memory takes longer than copying a record into it.
 */

/** The size of a piece. A piece lives as long as any of the states in it. */
const PIECE_BYTES = 1024 ** 2;

export class StatesMemory {
  #piece: Float32Array = new Float32Array(0);
  #at = 0;
  #left: number;

  /** @param records that are expected, so that one small record does not take a large piece */
  constructor(records: number) {
    this.#left = records;
  }

  /** Takes memory of zeros, of which the caller is the only owner. */
  take(count: number): Float32Array {
    if (this.#at + count > this.#piece.length) {
      const sizeBytes = count * Float32Array.BYTES_PER_ELEMENT;
      const wantedBytes = Math.min(sizeBytes * Math.max(1, this.#left), PIECE_BYTES);
      const pieceBytes = Math.max(sizeBytes, wantedBytes - (wantedBytes % Float32Array.BYTES_PER_ELEMENT));
      this.#piece = new Float32Array(new SharedArrayBuffer(pieceBytes));
      this.#at = 0;
    }
    this.#left--;
    const own = this.#piece.subarray(this.#at, this.#at + count);
    this.#at += count;
    return own;
  }
}
