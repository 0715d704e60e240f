/** Work on a stream of things, several at a time, whose results come in the order of the things. */

/**
 * Takes no more things than `most` that have no result yet, and none while nobody asks for results. The next thing is taken while results are waited for, and a result
 * does not wait for the next thing.
 * @param work does not throw
 * @throws what the stream throws, once the results of what was taken are given
 */
export async function* inOrder<T, R>(
  things: AsyncIterator<T>,
  most: number,
  work: (thing: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  let next: Promise<IteratorResult<T>> | undefined;
  let isOver = false;
  let failure: { readonly error: unknown } | undefined;
  for (;;) {
    if (!isOver && underWay.length < most) next ??= things.next();
    const [first] = underWay;
    if (!next && !first) break;
    const asked = next?.then(
      (taken) => ({ taken }),
      (error: unknown) => ({ failed: { error } }),
    );
    const came = await Promise.race([
      ...(asked ? [asked] : []),
      ...(first ? [first.then((result) => ({ result }))] : []),
    ]);
    if ('result' in came) {
      underWay.shift();
      yield came.result;
      continue;
    }
    next = undefined;
    if ('failed' in came) {
      failure = came.failed;
      isOver = true;
    } else if (came.taken.done) isOver = true;
    else underWay.push(work(came.taken.value));
  }
  if (failure) throw failure.error;
}
