/** Lists cut into groups of a bounded size. Of a stream that may pause, see windows.ts. */

/**
 * Neighbours together, in order, so that the items of a group weigh at most so much; a heavier item is in a group without others of weight.
 * @param most items, or what they weigh together
 */
export function* grouped<T>(items: Iterable<T>, most: number, weight: (item: T) => number = () => 1): Generator<T[]> {
  let [group, total]: [T[], number] = [[], 0];
  for (const item of items) {
    const own = weight(item);
    if (total > 0 && total + own > most) {
      yield group;
      [group, total] = [[], 0];
    }
    group.push(item);
    total += own;
  }
  if (group.length > 0) yield group;
}
