/** Texts that hold control tokens as they are written, such as "<bos>": counted, and told by commands and reports. */
import type { ControlTokens, Tokenizer } from './tokenizer.js';

export class LiteralTokens {
  readonly #tokenizer: Pick<Tokenizer, 'controlTokens' | 'controlTokensIn'>;
  readonly #found = new Set<string>();
  #count = 0;

  constructor(tokenizer: Pick<Tokenizer, 'controlTokens' | 'controlTokensIn'>) {
    this.#tokenizer = tokenizer;
  }

  /** Things with at least one. */
  get count(): number {
    return this.#count;
  }

  /** Those that were found, each once. */
  get tokens(): string[] {
    return [...this.#found].sort();
  }

  /** Counts one thing, such as a document, whose texts these are. */
  see(...texts: readonly (string | undefined)[]): void {
    const before = this.#count;
    for (const text of texts) {
      for (const token of text === undefined ? [] : this.#tokenizer.controlTokensIn(text)) {
        this.#found.add(token);
        this.#count = before + 1;
      }
    }
  }

  /** @returns undefined when nothing was found */
  described(things: string): string | undefined {
    return describeLiterals(this.#count, things, this.tokens, this.#tokenizer.controlTokens);
  }
}

/** In a sentence; undefined for none. */
export function describeLiterals(
  count: number,
  things: string,
  tokens: readonly string[],
  controlTokens: ControlTokens,
): string | undefined {
  if (count === 0) return undefined;
  const read =
    controlTokens === 'text'
      ? 'read as text; --control-tokens keep makes control tokens of them'
      : 'read as control tokens (--control-tokens keep)';
  return `${count} ${things} with control tokens as they are written (${tokens.join(', ')}), ${read}.`;
}
