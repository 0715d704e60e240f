/** The first of many things, for messages. */

const SHOWN = 5;

export function firstFew(names: readonly string[]): string {
  return `${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ', ...' : ''}`;
}
