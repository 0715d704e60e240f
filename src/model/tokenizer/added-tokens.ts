/** Added tokens in a text: the longest one wherever several begin, found before the model sees anything of them. */
import type { AddedToken } from './description.js';
import { isSpace } from './patterns.js';

/** Text that is still to be tokenised, or a token that was found. */
export type Section = string | AddedToken;

interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken;
}

export class AddedTokens {
  readonly #root: Node = { next: new Map() };

  /** @param contents per token the string to look for */
  constructor(tokens: readonly AddedToken[], contents: (token: AddedToken) => string = ({ content }) => content) {
    for (const token of tokens) {
      const content = contents(token);
      let node = this.#root;
      for (let i = 0; i < content.length; i++) {
        const unit = content.charCodeAt(i);
        let next = node.next.get(unit);
        if (!next) {
          next = { next: new Map() };
          node.next.set(unit, next);
        }
        node = next;
      }
      if (content.length > 0) node.token = token;
    }
  }

  /**
   * The text cut at its added tokens, with the white space that they take.
   * @param splitSpecial leave control tokens in the text, as `split_special_tokens` of transformers does
   */
  sections(text: string, splitSpecial: boolean): Section[] {
    const sections: Section[] = [];
    let done = 0;
    for (const { start, end, token } of this.#matches(text)) {
      if (splitSpecial && token.special) continue;
      let [from, to] = [start, end];
      if (token.lstrip) while (from > done && isSpace(text.charCodeAt(from - 1))) from--;
      if (token.rstrip) while (to < text.length && isSpace(text.charCodeAt(to))) to++;
      if (from > done) sections.push(text.slice(done, from));
      sections.push(token);
      // A token within the white space that another one took is found nevertheless; the text goes on behind it.
      done = to;
    }
    if (done < text.length) sections.push(text.slice(done));
    return sections;
  }

  /** The control tokens that a text holds as they are written. */
  specialIn(text: string): Set<string> {
    const found = new Set<string>();
    for (const { token } of this.#matches(text)) if (token.special) found.add(token.content);
    return found;
  }

  *#matches(text: string): Generator<{ start: number; end: number; token: AddedToken }> {
    for (let start = 0; start < text.length; ) {
      let node = this.#root.next.get(text.charCodeAt(start));
      let token: AddedToken | undefined;
      let end = start + 1;
      for (let at = start + 1; node; at++) {
        if (node.token) [token, end] = [node.token, at];
        node = node.next.get(text.charCodeAt(at));
      }
      if (token) yield { start, end, token };
      start = end;
    }
  }
}
