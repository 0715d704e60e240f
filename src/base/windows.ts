/** Groups a stream of items, so that a batch can be made of them without waiting for the end or for a writer that pauses. */

/** A window is closed when the input has been silent for this long. */
const PAUSE_MS = 50;

/**
 * @param newWindow called for every window; answers whether the window takes the next item too. Its first item is taken anyway.
 * @returns groups of at least one item in order; a shorter group when the input pauses or ends. One item is read ahead.
 */
export async function* windows<T>(items: AsyncIterable<T>, newWindow: () => (item: T) => boolean): AsyncGenerator<T[]> {
  const iterator = items[Symbol.asyncIterator]();
  const pull = () => {
    const pulled = iterator.next();
    // It may fail while nobody waits for it yet: who awaits it is told.
    pulled.catch(() => undefined);
    return pulled;
  };
  try {
    let window: T[] = [];
    let takes = newWindow();
    let next = pull();
    for (;;) {
      const result = window.length === 0 ? await next : await withinPause(next);
      if (result !== PAUSED && !result.done && (takes(result.value) || window.length === 0)) {
        window.push(result.value);
        next = pull();
        continue;
      }
      if (window.length > 0) yield window;
      if (result !== PAUSED && result.done) return;
      window = [];
      takes = newWindow();
    }
  } finally {
    // A source that is waiting for its input ends when that does: nobody waits for it here.
    iterator.return?.().catch(() => undefined);
  }
}

/** Makes the `newWindow` that gives each window this many items. */
export function upTo(size: number): () => (item: unknown) => boolean {
  return () => {
    let count = 0;
    return () => ++count <= size;
  };
}

const PAUSED = Symbol('paused');

/** What is awaited, or `PAUSED` when it takes too long. */
async function withinPause<T>(awaited: Promise<T>): Promise<T | typeof PAUSED> {
  let timer: NodeJS.Timeout | undefined;
  const pause = new Promise<typeof PAUSED>((resolve) => {
    timer = setTimeout(resolve, PAUSE_MS, PAUSED);
  });
  try {
    return await Promise.race([awaited, pause]);
  } finally {
    clearTimeout(timer);
  }
}
