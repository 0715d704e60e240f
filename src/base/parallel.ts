/** Work that mostly waits, on several items at a time. */

/** Requests that a store may have at once: those of servers mostly wait. */
export const STORE_REQUESTS = 8;

/**
 * Takes the items in order, at most so many at a time, and returns when none is under way any more.
 * @throws what the first piece of work that failed threw; no item is begun after that
 */
export async function inParallel<T>(items: Iterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let isFailed = false;
  const lane = async () => {
    for (let next = queue.next(); !next.done && !isFailed; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        isFailed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: most }, lane));
  const failed = lanes.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
