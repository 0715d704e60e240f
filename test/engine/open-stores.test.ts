/** Stores of the engine's process are open while they are read, and not for good. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OpenStores } from '../../src/hosts/open-stores.js';
import { loadModel, type Model, sameNumbers } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

it('are closed when nobody has read them for a while, which frees a generation, and opened again', async () => {
  const folder = path.join(await temporaryFolder(), 'catalogue');
  const store = await openStore('memory:');
  await prime(model, store, [{ id: 'lamp', text: 'The lamp costs 24 euros.' }]);
  const catalogue = await openCatalogue(folder, { create: true });
  const { generation } = await catalogue.pack(store);
  await catalogue.publish(generation.id);
  const { variants } = (await store.entry('lamp'))!;
  await store.close();
  const leases = async () => (await catalogue.generations()).generations[0]!.leases;

  const stores = new OpenStores(30);
  const source = stores.at({ location: `packed:${folder}?generation=${generation.id}`, options: {} });
  const read = async () => {
    const [states] = await source.statesOf([variants.bare!], sameNumbers(model));
    expect(states).toMatchObject({ width: model.engine.info.shape.encoder.width });
  };
  await Promise.all([read(), read()]);
  expect([stores.open, await leases()]).toEqual([1, 1]);
  while (stores.open > 0) await sleep(10);
  while ((await leases()) > 0) await sleep(10);
  await read();
  expect(stores.open).toBe(1);
  await stores.close();
  expect(stores.open).toBe(0);
  await catalogue.close();
});
