/** Metrics of what is served, asked for when they are read: the engine's queue, the edition, and how large the store is. */
import type { Metrics } from './metrics.js';
import type { Parts } from './parts.js';

/** The store is counted no more often than this, since some storages look at every record for that. */
const COUNT_MS = 60_000;
/** An engine that does not answer by then is being started anew; its numbers stay as they were. */
const ENGINE_MS = 1000;

export function watchServed(
  { metrics, shelf }: Pick<Parts, 'metrics' | 'shelf'>,
  ticks = () => performance.now(),
): void {
  metrics.onRead(() => readEdition(metrics, shelf));
  metrics.onRead(async () => {
    const late = new Promise<undefined>((resolve) => setTimeout(resolve, ENGINE_MS, undefined).unref());
    const load = await Promise.race([shelf.current.model.engine.load(), late]);
    if (!load) return;
    for (const [name, items] of Object.entries(load.waitingItems)) metrics.set('waitingItems', items, { class: name });
    metrics.set('runningBatches', load.runningBatches);
    metrics.counted('batches', load.batches);
    metrics.counted('restarts', load.restarts);
  });
  let countedAt: number | undefined;
  metrics.onRead(() => {
    if (countedAt !== undefined && ticks() - countedAt < COUNT_MS) return;
    countedAt = ticks();
    // Whoever reads the metrics does not wait for it, and gets the number at the next time.
    void shelf
      .use(undefined, async (edition) => {
        const { documents, sizeBytes } = await (await edition.storeOf('')).stats();
        metrics.set('storeDocuments', documents);
        metrics.set('storeBytes', sizeBytes);
      })
      .catch(() => undefined);
  });
}

function readEdition(metrics: Metrics, shelf: Parts['shelf']): void {
  const { model, generation } = shelf.current;
  const { computedAs, device } = model.engine.info;
  const { name, fingerprint } = model;
  metrics.setOnly('edition', {
    model: name,
    fingerprint: fingerprint.slice(0, 12),
    precision: computedAs,
    device,
    generation: generation?.id ?? '',
  });
}
