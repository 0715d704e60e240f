/** Addresses of stores in commands that a message gives as advice. */

/** Quotes a text so that a shell takes it as one word and replaces nothing in it. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
