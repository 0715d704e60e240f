/** Tells many listeners when a signal is aborted, at the cost of one, since Node takes many listeners on a signal for a leak. */

const told = new WeakMap<AbortSignal, Set<() => void>>();

/** @returns stops the telling */
export function onAbort(signal: AbortSignal | undefined, tell: () => void): () => void {
  if (!signal) return () => undefined;
  const known = told.get(signal);
  const all = known ?? new Set();
  if (!known) {
    told.set(signal, all);
    signal.addEventListener(
      'abort',
      () => {
        for (const each of [...all]) each();
      },
      { once: true },
    );
  }
  // Of the caller's own, so that one function may be told on account of several requests.
  const own = () => tell();
  all.add(own);
  return () => all.delete(own);
}
