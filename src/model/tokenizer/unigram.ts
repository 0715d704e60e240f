/** A Unigram model, as Python's tokenizers run it: of all ways to cut a word into tokens the one with the highest sum of scores. */
import type { UnigramDescription } from './description.js';
import { RememberedWords, Vocabulary } from './vocabulary.js';

/** How much lower than the worst token's score a character without a token scores. */
const UNKNOWN_PENALTY = 10;

const utf8 = new TextEncoder();

export class Unigram {
  readonly vocabulary: Vocabulary;
  readonly #scores: Float64Array;
  readonly #trie: Trie;
  readonly #unknown: number;
  readonly #unknownScore: number;
  /** The id of each byte's token; undefined where the model has no such fallback. */
  readonly #bytes: readonly (number | undefined)[] | undefined;
  readonly #words = new RememberedWords((word) => this.#bestCut(word));
  /** The best cut up to each place in a word: its sum of scores, where its last token begins, and that token's id. */
  #sums = new Float64Array(0);
  #starts = new Int32Array(0);
  #lasts = new Int32Array(0);

  /** @throws Error for an unknown token that the vocabulary lacks */
  constructor({ vocab, unk_id, byte_fallback }: UnigramDescription) {
    if (unk_id >= vocab.length) throw new Error(`its unk_id is ${unk_id}, in a vocabulary of ${vocab.length}`);
    this.vocabulary = new Vocabulary(
      vocab.map(([token], id) => [token, id]),
      vocab.length,
    );
    this.#scores = Float64Array.from(vocab, ([, score]) => score);
    this.#trie = new Trie(vocab.map(([token]) => token));
    this.#unknown = unk_id;
    this.#unknownScore = this.#scores.reduce((lowest, score) => Math.min(lowest, score), Infinity) - UNKNOWN_PENALTY;
    if (byte_fallback) this.#bytes = this.vocabulary.byteIds();
  }

  /** The ids of one word, in a text that no pre-tokenizer has cut further. */
  encode(word: string): readonly number[] {
    return this.#words.idsOf(word);
  }

  #bestCut(word: string): number[] {
    this.#fill(word);
    const ids: number[] = [];
    // From the end to the beginning. Unknown characters side by side become one token; so does `<unk>` itself, written in a text.
    for (let end = word.length; end > 0; ) {
      let start = this.#starts[end]!;
      if (this.#lasts[end] === this.#unknown) {
        while (start > 0 && this.#lasts[start] === this.#unknown) start = this.#starts[start]!;
        for (const id of this.#idsOfUnknown(word.slice(start, end)).reverse()) ids.push(id);
      } else ids.push(this.#lasts[end]!);
      end = start;
    }
    return ids.reverse();
  }

  #fill(word: string): void {
    const { length } = word;
    if (this.#sums.length <= length) {
      this.#sums = new Float64Array(2 * length + 64);
      this.#starts = new Int32Array(this.#sums.length);
      this.#lasts = new Int32Array(this.#sums.length);
    }
    const [sums, starts, lasts, trie] = [this.#sums, this.#starts, this.#lasts, this.#trie];
    starts.fill(-1, 0, length + 1);
    sums[0] = 0;
    const offer = (start: number, end: number, id: number, score: number) => {
      const sum = score + sums[start]!;
      // Of equal ones the first counts, which begins further left.
      if (starts[end] !== -1 && sum <= sums[end]!) return;
      sums[end] = sum;
      starts[end] = start;
      lasts[end] = id;
    };
    for (let start = 0; start < length; ) {
      const next = start + (word.codePointAt(start)! > 0xffff ? 2 : 1);
      let isKnown = false;
      for (let node = trie.child(ROOT, word.charCodeAt(start)), end = start + 1; node !== NONE; end++) {
        const id = trie.idAt(node);
        if (id !== NONE) {
          offer(start, end, id, this.#scores[id]!);
          isKnown ||= end === next;
        }
        node = end < length ? trie.child(node, word.charCodeAt(end)) : NONE;
      }
      if (!isKnown) offer(start, next, this.#unknown, this.#unknownScore);
      start = next;
    }
  }

  #idsOfUnknown(text: string): number[] {
    const whole = this.vocabulary.idOf(text);
    if (whole !== undefined) return [whole];
    const bytes = this.#bytes && Array.from(utf8.encode(text), (byte) => this.#bytes![byte]);
    return bytes?.every((id) => id !== undefined) ? bytes : [this.#unknown];
  }
}

const ROOT = 0;
const NONE = -1;

/** Tokens by their UTF-16 units. Steps from node to node are in one open-addressing table: there are a million of them, asked for at each character. */
class Trie {
  #count = 1;
  #ids = new Int32Array(1024).fill(NONE);
  #parents = new Int32Array(4096).fill(NONE);
  #units = new Uint16Array(4096);
  #children = new Int32Array(4096);

  /** @param tokens in the order of their ids; of equal ones the last counts */
  constructor(tokens: readonly string[]) {
    for (const [id, token] of tokens.entries()) {
      if (token === '') continue;
      let node = ROOT;
      for (let at = 0; at < token.length; at++) node = this.#childMade(node, token.charCodeAt(at));
      this.#ids[node] = id;
    }
  }

  /** The token that ends at a node, if any. */
  idAt(node: number): number {
    return this.#ids[node]!;
  }

  child(node: number, unit: number): number {
    const slot = this.#slotOf(node, unit);
    return this.#parents[slot] === NONE ? NONE : this.#children[slot]!;
  }

  #childMade(node: number, unit: number): number {
    const known = this.child(node, unit);
    if (known !== NONE) return known;
    if (2 * this.#count >= this.#parents.length) this.#grow();
    const made = this.#count++;
    if (made >= this.#ids.length) {
      const ids = new Int32Array(2 * this.#ids.length).fill(NONE);
      ids.set(this.#ids);
      this.#ids = ids;
    }
    this.#put(node, unit, made);
    return made;
  }

  #put(node: number, unit: number, child: number): void {
    const slot = this.#slotOf(node, unit);
    this.#parents[slot] = node;
    this.#units[slot] = unit;
    this.#children[slot] = child;
  }

  #grow(): void {
    const [parents, units, children] = [this.#parents, this.#units, this.#children];
    this.#parents = new Int32Array(2 * parents.length).fill(NONE);
    this.#units = new Uint16Array(2 * parents.length);
    this.#children = new Int32Array(2 * parents.length);
    for (const [slot, parent] of parents.entries())
      if (parent !== NONE) this.#put(parent, units[slot]!, children[slot]!);
  }

  #slotOf(node: number, unit: number): number {
    const mask = this.#parents.length - 1;
    let slot = (Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    while (this.#parents[slot] !== NONE && (this.#parents[slot] !== node || this.#units[slot] !== unit)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
