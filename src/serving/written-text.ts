/** A text while it is written: the piece of text that each token adds, and the place where a stop string ends it. */
import type { Tokenizer } from '../model/tokenizer/tokenizer.js';

/** What stands for bytes that are no character, and for the beginning of a character whose other bytes are still to come. */
const REPLACEMENT = '\ufffd';

/** Turns tokens into pieces of text one after the other. */
export class TextPieces {
  readonly #tokenizer: Pick<Tokenizer, 'decode'>;
  readonly #ids: number[] = [];
  /** The first token of the piece before the next one, in whose company tokens are decoded: a first token may lose its space. */
  #from = 0;
  /** The number of tokens whose text is out. */
  #done = 0;

  constructor(tokenizer: Pick<Tokenizer, 'decode'>) {
    this.#tokenizer = tokenizer;
  }

  /** Takes a token. @returns the text that it adds, whole characters; empty for one that ends within a character, whose text comes with a later one */
  next(tokenId: number): string {
    this.#ids.push(tokenId);
    const piece = this.#rest();
    if (piece.endsWith(REPLACEMENT)) return '';
    if (piece !== '') this.#from = this.#done;
    this.#done = this.#ids.length;
    return piece;
  }

  /** The text of tokens that were held back to the end: U+FFFD for bytes that are no character. */
  end(): string {
    return this.#done < this.#ids.length ? this.#rest() : '';
  }

  #rest(): string {
    const before = this.#decode(this.#from, this.#done);
    const all = this.#decode(this.#from, this.#ids.length);
    // Bytes beside each other are one run for some tokenizers, and a bad one spoils all of it; what is out stays.
    return all.startsWith(before) ? all.slice(before.length) : this.#decode(this.#done, this.#ids.length);
  }

  #decode(start: number, end: number): string {
    return this.#tokenizer.decode(Int32Array.from(this.#ids.slice(start, end)));
  }
}

/** A part of a text: whole tokens with the pieces that they add, which are together its text. */
export interface TextPart {
  readonly text: string;
  readonly tokenIds: Int32Array;
  /** The natural logarithm of each token's probability at temperature 1. */
  readonly logProbabilities: Float32Array;
  /** The text that each token adds; empty for one that ends within a character, or behind a stop string's beginning. */
  readonly pieces: readonly string[];
}

export class WrittenText {
  readonly #stops: readonly string[];
  readonly #decoded: TextPieces;
  readonly #ids: number[] = [];
  readonly #logProbabilities: number[] = [];
  readonly #pieces: string[] = [];
  #text = '';
  /** The tokens, and the characters of their pieces, that have been given out. */
  #told = { tokens: 0, characters: 0 };
  #isStopped = false;

  /** @param stops none of them empty */
  constructor(tokenizer: Pick<Tokenizer, 'decode'>, stops: readonly string[]) {
    this.#stops = stops;
    this.#decoded = new TextPieces(tokenizer);
  }

  /** Tells whether a stop string has been written. Nothing is taken after it. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  get tokens(): number {
    return this.#ids.length;
  }

  take(tokenIds: Int32Array, logProbabilities: Float32Array): void {
    for (const [at, id] of tokenIds.entries()) {
      if (this.#isStopped) return;
      this.#ids.push(id);
      this.#logProbabilities.push(logProbabilities[at]!);
      this.#pieces.push('');
      this.#add(this.#decoded.next(id));
    }
  }

  /** Ends the text: what was held back within a character comes out. */
  end(): void {
    if (!this.#isStopped && this.#ids.length > 0) this.#add(this.#decoded.end());
  }

  /**
   * Gives what was not given yet and cannot change any more.
   * @param isLast true where no further tokens come: then all that is left
   * @returns undefined where there is no text to give
   */
  next(isLast: boolean): TextPart | undefined {
    const { tokens, characters } = this.#told;
    const end = isLast || this.#isStopped ? this.#text.length : this.#text.length - this.#mayStop();
    let [last, length] = [tokens, characters];
    while (last < this.#pieces.length && length + this.#pieces[last]!.length <= end) {
      length += this.#pieces[last]!.length;
      last++;
    }
    if (length === characters && !(isLast && last > tokens)) return undefined;
    this.#told = { tokens: last, characters: length };
    return this.#part(tokens, last);
  }

  /** The whole text. */
  get whole(): TextPart {
    return this.#part(0, this.#ids.length);
  }

  #part(start: number, end: number): TextPart {
    const pieces = this.#pieces.slice(start, end);
    return {
      text: pieces.join(''),
      tokenIds: Int32Array.from(this.#ids.slice(start, end)),
      logProbabilities: Float32Array.from(this.#logProbabilities.slice(start, end)),
      pieces,
    };
  }

  #add(piece: string): void {
    if (piece === '') return;
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length));
    const from = Math.max(0, this.#text.length - longest + 1);
    this.#text += piece;
    this.#pieces[this.#pieces.length - 1] += piece;
    const found = this.#stops.map((stop) => this.#text.indexOf(stop, from)).filter((at) => at >= 0);
    if (found.length === 0) return;
    this.#isStopped = true;
    this.#cut(Math.min(...found));
  }

  #cut(length: number): void {
    let behind = this.#text.length - length;
    this.#text = this.#text.slice(0, length);
    for (let at = this.#pieces.length - 1; behind > 0; at--) {
      const piece = this.#pieces[at]!;
      this.#pieces[at] = piece.slice(0, Math.max(0, piece.length - behind));
      behind -= Math.min(behind, piece.length);
    }
  }

  /** The length of the longest end of the text with which a stop string may begin. */
  #mayStop(): number {
    let most = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, this.#text.length); length > most; length--) {
        if (this.#text.endsWith(stop.slice(0, length))) most = length;
      }
    }
    return most;
  }
}
