/** Texts that hold control tokens as they are written, such as "<bos>": counted, and told by commands and reports. */
import type { ControlTokens, Tokenizer } from './tokenizer.js';

export class LiteralTokens {
  readonly #tokenizer: Pick<Tokenizer, 'controlTokens' | 'controlTokensIn' | 'isPiece'>;
  /**
   * The tokens that were found, and whether they become their ids as text too. That is asked at once, since the tokenizer may be closed by the time
   * it is told.
   */
  readonly #found = new Map<string, boolean>();
  #count = 0;

  constructor(tokenizer: Pick<Tokenizer, 'controlTokens' | 'controlTokensIn' | 'isPiece'>) {
    this.#tokenizer = tokenizer;
  }

  /** The number of things whose texts hold at least one. */
  get count(): number {
    return this.#count;
  }

  /** The tokens that were found, each once. */
  get tokens(): string[] {
    return [...this.#found.keys()].sort();
  }

  /** Counts one thing, such as a document, whose texts these are. */
  see(...texts: readonly (string | undefined)[]): void {
    const before = this.#count;
    for (const text of texts) {
      for (const token of text === undefined ? [] : this.#tokenizer.controlTokensIn(text)) {
        if (!this.#found.has(token)) this.#found.set(token, this.#tokenizer.isPiece(token));
        this.#count = before + 1;
      }
    }
  }

  /** @returns undefined when nothing was found */
  described(things: string): string | undefined {
    const pieces = this.tokens.filter((token) => this.#found.get(token));
    return describeLiterals(this.#count, things, this.tokens, this.#tokenizer.controlTokens, pieces);
  }
}

/**
 * Describes the tokens in a sentence; undefined for none.
 * @param pieces those of the tokens that become their ids as text too, where that is known
 */
export function describeLiterals(
  count: number,
  things: string,
  tokens: readonly string[],
  controlTokens: ControlTokens,
  pieces: readonly string[] = [],
): string | undefined {
  if (count === 0) return undefined;
  return `${count} ${things} with control tokens as they are written (${tokens.join(', ')}), ${readAs(tokens, controlTokens, pieces)}.`;
}

function readAs(tokens: readonly string[], controlTokens: ControlTokens, pieces: readonly string[]): string {
  if (controlTokens === 'keep') return 'read as control tokens (--control-tokens keep)';
  if (pieces.length === 0) return 'read as text; --control-tokens keep makes control tokens of them';
  const whose = "which this model's vocabulary turns into their own ids all the same";
  if (pieces.length === tokens.length) return `read as text, ${whose}`;
  return `read as text but for ${pieces.join(', ')}, ${whose}; --control-tokens keep makes control tokens of all`;
}
