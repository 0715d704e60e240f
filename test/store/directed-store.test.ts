/** The store over storages in which others are at work between two of its requests. */
import { expect, it } from 'vitest';
import type { Blob, Slot } from '../../src/store/backends/backend.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { recordOf } from '../support/records.js';

it('tells when a record that a document names is collected while the document is written', async () => {
  class Collecting extends InProcessBackend {
    override async write(blobs: readonly Blob[], slot?: Slot): Promise<void> {
      await super.write(blobs, slot);
      if (slot && blobs.length === 0) await this.remove(slot.keys[0]!);
    }
  }
  const store = new DirectedStore(new Collecting(Number.POSITIVE_INFINITY), '');
  const key = await store.put(recordOf(1));
  await expect(store.putDocument('ad', { bare: key })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});

it('looks again where a document was replaced, and its record collected, between two reads', async () => {
  const backend = new InProcessBackend(Number.POSITIVE_INFINITY);
  const store = new DirectedStore(backend, '');
  const { bare: old } = await store.putDocument('ad', { bare: recordOf(1) });
  const { read } = backend;
  let reads = 0;
  backend.read = async (keys, decode) => {
    if (reads++ === 0) {
      await store.putDocument('ad', { bare: recordOf(2) });
      await backend.remove(old!);
    }
    return read.call(backend, keys, decode) as never;
  };
  expect((await store.getDocument('ad', 'bare'))?.key).toBe(store.keyOf(recordOf(2)));
  await backend.remove(store.keyOf(recordOf(2)));
  // Gone, and the id points to it still: a miss, not an endless search.
  expect(await store.getDocument('ad', 'bare')).toBeUndefined();
  expect(await store.stats()).toMatchObject({ hits: 1, misses: 1 });
});
