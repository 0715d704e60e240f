/**
 * A number of things, for messages: "1 query", "2 queries".
 * @param thing one of them, an English noun with a regular plural
 * @param shown the number as it is written
 */
export function counted(count: number, thing: string, shown = String(count)): string {
  if (count === 1) return `${shown} ${thing}`;
  if (/[^aeiou]y$/u.test(thing)) return `${shown} ${thing.slice(0, -1)}ies`;
  return `${shown} ${thing}${/(?:[sxz]|[cs]h)$/u.test(thing) ? 'es' : 's'}`;
}
