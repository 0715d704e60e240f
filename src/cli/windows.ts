/** Groups a stream of lines, so that a batch can be made of them without waiting for the end or for a writer that pauses. */

/** A window is closed when the input has been silent for this long. */
const PAUSE_MS = 50;

/** @returns groups of 1 to `size` lines in order; a shorter group when the input pauses or ends */
export async function* windows(lines: AsyncIterable<string>, size: number): AsyncGenerator<string[]> {
  const iterator = lines[Symbol.asyncIterator]();
  let window: string[] = [];
  let next = iterator.next();
  for (;;) {
    const result = window.length === 0 ? await next : await withinPause(next);
    if (result === PAUSED) {
      yield window;
      window = [];
    } else if (result.done) {
      if (window.length > 0) yield window;
      return;
    } else {
      window.push(result.value);
      next = iterator.next();
      if (window.length === size) {
        yield window;
        window = [];
      }
    }
  }
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
