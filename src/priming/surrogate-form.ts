/**
 * How specifications of surrogates are put together: parts between commas, parentheses around them, and what stands for a function. Knows no surrogate.
 * Positions are counted in characters from 0, and are what messages point at.
 */

/** A part of a list, without blanks around it, and where it begins. */
export interface Part {
  readonly text: string;
  readonly at: number;
}

export type Parts =
  | { readonly parts: readonly Part[] }
  /** The place at which the text breaks the rule, and how, as the end of a sentence. */
  | { readonly parts?: undefined; readonly at: number; readonly problem: string };

/** A specification with parts in parentheses, which may therefore have commas of its own. */
const COMPOUND = /^\s*(?:join|scramble|neutral)\(/;

/** An escaped character. In `join(...)` a backslash makes a comma, a parenthesis or another backslash plain text. */
const ESCAPED = /\\([\\,()])/g;

/** A text inside `join(...)`, as it is meant. */
export function unescaped(text: string): string {
  return text.replace(ESCAPED, '$1');
}

/**
 * The parts of `join(...)`: what stands between its commas, without those in parentheses of a part.
 * @param form that begins with `join(`
 */
export function partsOf(form: string): Parts {
  const open = form.indexOf('(');
  const { commas, end } = scan(form, open + 1);
  if (end === undefined) return { at: open, problem: 'this parenthesis is not closed. Write \\( for one in a text' };
  if (end < form.length - 1) {
    return {
      at: end + 1,
      problem: `nothing but *N or *query may follow join(...), and ${JSON.stringify(form.slice(end + 1))} does. Write \\) for a parenthesis in a text`,
    };
  }
  const bounds = [open, ...commas, end];
  const parts = bounds.slice(1).map((to, i) => partOf(form, bounds[i]! + 1, to));
  const empty = parts.find(({ text }) => text === '');
  if (empty) return { at: empty.at, problem: 'a surrogate was expected. Write \\, for a comma in a text' };
  if (parts.length > 1) return { parts };
  return { at: open + 1, problem: 'there is one surrogate, and two or more are joined. Commas stand between them' };
}

function partOf(form: string, from: number, to: number): Part {
  const part = form.slice(from, to);
  return { text: part.trim(), at: from + part.length - part.trimStart().length };
}

/** Reads on from inside a parenthesis: the commas at its own level, and the place where it is closed; undefined where it is not. */
function scan(form: string, from: number): { commas: number[]; end: number | undefined } {
  const commas: number[] = [];
  let depth = 1;
  for (let at = from; at < form.length; at++) {
    const character = form[at];
    if (character === '\\') at++;
    else if (character === '(') depth++;
    else if (character === ')' && --depth === 0) return { commas, end: at };
    else if (character === ',' && depth === 1) commas.push(at);
  }
  return { commas, end: undefined };
}

/** Splits a list of specifications at its commas. Commas of `join(...)`, `scramble(...)` and `neutral(...)` belong to them; a text can have none here. */
export function splitList(list: string): string[] {
  const parts: string[] = [];
  let from = 0;
  while (from <= list.length) {
    const rest = list.slice(from);
    const open = COMPOUND.exec(rest)?.[0].length;
    const closed = open === undefined ? 0 : (scan(rest, open).end ?? rest.length);
    const comma = rest.indexOf(',', closed);
    const part = comma < 0 ? rest : rest.slice(0, comma);
    parts.push(part.trim());
    from += part.length + 1;
  }
  return parts;
}

const FUNCTION = /^(?<kind>function|document_function):(?<name>.+)@[0-9a-f]{16}$/s;

/** What a record says of a function that made a surrogate: `function:NAME@DIGEST`, or `document_function:` of one that is given no query. */
export interface FunctionName {
  readonly name: string;
  readonly needsQuery: boolean;
}

/** The function that a specification names; undefined for other surrogates. */
export function functionNamed(specification: string): FunctionName | undefined {
  const { kind, name } = FUNCTION.exec(specification)?.groups ?? {};
  return name === undefined ? undefined : { name, needsQuery: kind === 'function' };
}
