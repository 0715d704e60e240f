/** Ids by token and tokens by id, and the ids of words that were asked for before: the parts that every kind of model has. */

/** The length up to which words are remembered, and the number of words. */
const REMEMBERED_LENGTH = 64;
const REMEMBERED_WORDS = 20_000;

export class Vocabulary {
  /** The number of ids that Python's tokenizers count for the model. Added tokens get the next ones. */
  readonly size: number;
  readonly #ids = new Map<string, number>();
  readonly #tokens: string[] = [];

  /** Makes a vocabulary. Of a token that comes twice the last id counts. */
  constructor(entries: readonly (readonly [token: string, id: number])[], size: number) {
    this.size = size;
    for (const [token, id] of entries) {
      this.#ids.set(token, id);
      this.#tokens[id] = token;
    }
  }

  /** The highest id of the tokens that are not among others. */
  highestIdBeside(others: ReadonlySet<string>): number {
    return this.#tokens.findLastIndex((token) => token !== undefined && !others.has(token));
  }

  idOf(token: string): number | undefined {
    return this.#ids.get(token);
  }

  tokenOf(id: number): string | undefined {
    return this.#tokens[id];
  }

  tokens(): Iterable<string> {
    return this.#ids.keys();
  }

  /** The id of each byte's own token, `<0x0A>` for a line feed; undefined for one that the vocabulary lacks. */
  byteIds(): (number | undefined)[] {
    return Array.from({ length: 256 }, (_, byte) => this.idOf(byteToken(byte)));
  }
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** A model's answers for short words, which come again and again. */
export class RememberedWords {
  readonly #known = new Map<string, readonly number[]>();
  readonly #encode: (word: string) => readonly number[];

  constructor(encode: (word: string) => readonly number[]) {
    this.#encode = encode;
  }

  idsOf(word: string): readonly number[] {
    if (word.length > REMEMBERED_LENGTH) return this.#encode(word);
    let known = this.#known.get(word);
    if (!known) {
      known = this.#encode(word);
      if (this.#known.size >= REMEMBERED_WORDS) this.#known.clear();
      this.#known.set(word, known);
    }
    return known;
  }
}
