/** Addresses of stores in commands that a message gives as advice. */

/** As a shell takes it, with nothing replaced. */
export function shellWord(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
