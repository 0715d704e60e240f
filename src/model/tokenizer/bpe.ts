/** Byte pair encoding on ids, as Python's tokenizers do it: the merge of the lowest rank first, and of equal ones the leftmost. */
import type { BpeDescription } from './description.js';
import { RememberedWords, Vocabulary } from './vocabulary.js';

export class Bpe {
  readonly vocabulary: Vocabulary;
  readonly #merges: Merges;
  readonly #unknown: number | undefined;
  readonly #fusesUnknown: boolean;
  readonly #ignoresMerges: boolean;
  /** The id of each byte's own token; undefined where the vocabulary lacks one of them or the model has no such fallback. */
  readonly #bytes: readonly (number | undefined)[] | undefined;
  readonly #words = new RememberedWords((word) => this.#merges.apply(this.#symbols(word)));

  /** @throws Error for merges and an unknown token that are not in the vocabulary */
  constructor({ vocab, merges, unk_token, fuse_unk, byte_fallback, ignore_merges }: BpeDescription) {
    const entries = Object.entries(vocab);
    this.vocabulary = new Vocabulary(entries, entries.length);
    this.#merges = new Merges(merges.length);
    for (const [rank, merge] of merges.entries()) {
      const [left, right] = typeof merge === 'string' ? (merge.split(' ') as [string, string]) : merge;
      this.#merges.set(this.#expectId(left), this.#expectId(right), rank, this.#expectId(left + right));
    }
    this.#unknown = typeof unk_token === 'string' ? this.vocabulary.idOf(unk_token) : undefined;
    if (typeof unk_token === 'string' && this.#unknown === undefined) throw missing(unk_token);
    this.#fusesUnknown = fuse_unk;
    this.#ignoresMerges = ignore_merges;
    if (byte_fallback) this.#bytes = this.vocabulary.byteIds();
  }

  /** True where every character has a token of its own, or tokens of its bytes that nothing merges. */
  get knowsEveryCharacter(): boolean {
    if (!this.#bytes) return false;
    const ids = new Set(this.#bytes);
    return !ids.has(undefined) && !this.#merges.haveAny(ids);
  }

  /** The ids of one word, in a text that no pre-tokenizer has cut further. */
  encode(word: string): readonly number[] {
    const whole = this.#ignoresMerges ? this.vocabulary.idOf(word) : undefined;
    return whole !== undefined ? [whole] : this.#words.idsOf(word);
  }

  #expectId(token: string): number {
    const id = this.vocabulary.idOf(token);
    if (id === undefined) throw missing(token);
    return id;
  }

  /**
   * The ids that a word's characters begin as: each character's own, or those of its bytes, or the unknown one, or none where the model has none.
   */
  #symbols(word: string): number[] {
    const symbols: number[] = [];
    let isPending = false;
    for (const character of word) {
      const id = this.vocabulary.idOf(character);
      if (id !== undefined) {
        if (isPending) symbols.push(this.#unknown!);
        isPending = false;
        symbols.push(id);
        continue;
      }
      const bytes = this.#bytes && Array.from(Buffer.from(character), (byte) => this.#bytes![byte]);
      if (bytes?.every((byte) => byte !== undefined)) {
        // What is unknown before them comes after them: so does Python.
        symbols.push(...(bytes as number[]));
        continue;
      }
      if (this.#unknown === undefined) continue;
      if (isPending && !this.#fusesUnknown) symbols.push(this.#unknown);
      isPending = true;
    }
    if (isPending) symbols.push(this.#unknown!);
    return symbols;
  }
}

function missing(token: string): Error {
  return new Error(
    `the model's vocabulary lacks ${JSON.stringify(token)}, which it needs for its merges or unknown text`,
  );
}

/**
 * The merges: which two ids become one, and how early. It is an open-addressing table, since there are half a million of them and each character
 * asks for one.
 */
class Merges {
  readonly #lefts: Int32Array;
  readonly #rights: Int32Array;
  readonly #ranks: Int32Array;
  readonly #results: Int32Array;
  readonly #mask: number;

  constructor(count: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(count, 1) * 2));
    this.#mask = slots - 1;
    this.#lefts = new Int32Array(slots).fill(-1);
    this.#rights = new Int32Array(slots);
    this.#ranks = new Int32Array(slots);
    this.#results = new Int32Array(slots);
  }

  set(left: number, right: number, rank: number, result: number): void {
    const slot = this.#slotOf(left, right);
    this.#lefts[slot] = left;
    this.#rights[slot] = right;
    this.#ranks[slot] = rank;
    this.#results[slot] = result;
  }

  /** Tells whether one of the ids is a part of some merge. */
  haveAny(ids: ReadonlySet<number | undefined>): boolean {
    return this.#lefts.some((left, slot) => left !== -1 && (ids.has(left) || ids.has(this.#rights[slot])));
  }

  #slotOf(left: number, right: number): number {
    let slot = (Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & this.#mask;
    while (this.#lefts[slot] !== -1 && (this.#lefts[slot] !== left || this.#rights[slot] !== right)) {
      slot = (slot + 1) & this.#mask;
    }
    return slot;
  }

  /**
   * Merges until nothing merges any more.
   * @returns the symbols that are left
   */
  apply(symbols: readonly number[]): number[] {
    const count = symbols.length;
    const ids = Int32Array.from(symbols);
    // Neighbours that are still there; -1 at the ends. A symbol that went into its left neighbour gets the id -1.
    const before = Int32Array.from(symbols, (_, at) => at - 1);
    const after = Int32Array.from(symbols, (_, at) => (at + 1 < count ? at + 1 : -1));
    const queue = new Queue();
    const offer = (at: number) => {
      const next = after[at]!;
      if (next === -1) return;
      const slot = this.#slotOf(ids[at]!, ids[next]!);
      if (this.#lefts[slot] !== -1) queue.push(this.#ranks[slot]!, at);
    };
    for (let at = 0; at < count; at++) offer(at);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const rank = Math.floor(top / POSITIONS);
      const at = top - rank * POSITIONS;
      const next = ids[at] === -1 ? -1 : after[at]!;
      if (next === -1) continue;
      // The pair may have changed since it was offered; then it was offered anew.
      const slot = this.#slotOf(ids[at]!, ids[next]!);
      if (this.#lefts[slot] === -1 || this.#ranks[slot] !== rank) continue;
      ids[at] = this.#results[slot]!;
      ids[next] = -1;
      after[at] = after[next]!;
      if (after[at] !== -1) before[after[at]!] = at;
      if (before[at] !== -1) offer(before[at]!);
      offer(at);
    }
    return Array.from(ids).filter((id) => id !== -1);
  }
}

/** A number greater than the characters of any word. A rank times it, plus a position, is one exact number, since ranks are far below 2^21. */
const POSITIONS = 2 ** 32;

/** A heap of ranks and positions in one number, the lowest rank first and of equal ones the lowest position. */
class Queue {
  readonly #keys: number[] = [];

  push(rank: number, at: number): void {
    const keys = this.#keys;
    const key = rank * POSITIONS + at;
    let place = keys.length;
    keys.push(key);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (keys[parent]! <= key) break;
      keys[place] = keys[parent]!;
      place = parent;
    }
    keys[place] = key;
  }

  pop(): number | undefined {
    const keys = this.#keys;
    const top = keys[0];
    if (top === undefined) return undefined;
    const last = keys.pop()!;
    const count = keys.length;
    if (count > 0) {
      let place = 0;
      for (let child = 1; child < count; child = 2 * place + 1) {
        if (child + 1 < count && keys[child + 1]! < keys[child]!) child++;
        if (keys[child]! >= last) break;
        keys[place] = keys[child]!;
        place = child;
      }
      keys[place] = last;
    }
    return top;
  }
}
