/** Generations change while they are served: every answer is of one generation, and of its model. */
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { score } from '../../src/serving/score.js';
import { type Catalogue, openCatalogue } from '../../src/store/generations/catalogue-store.js';
import { openStore } from '../../src/store/open.js';
import { editCheckpoint } from '../support/edited-checkpoint.js';
import { temporaryFolder } from '../support/fixtures.js';
import { served } from '../support/server.js';

const IDS = ['lamp', 'chair', 'desk'] as const;
const TARGET = '24 euros';
const SWITCHES = 20;
const REQUESTS = 200;

let model: Model;
beforeAll(async () => {
  model = await loadModel();
});
afterAll(() => model.close());

/** Publishes a generation in which every document has texts of its own. @returns its id, and the NLLs of the target given each */
async function published(catalogue: Catalogue, by: Model, price: number) {
  const store = await openStore('memory:');
  await prime(
    by,
    store,
    IDS.map((id) => ({ id, text: `The ${id} costs ${price} euros.` })),
  );
  const scores = await score(
    by,
    store,
    IDS.map((id) => ({ id, target: TARGET })),
  );
  const { generation } = await catalogue.pack(store, { parent: null });
  await store.close();
  await catalogue.publish(generation.id);
  return { id: generation.id, nlls: scores.map((own) => ('nll' in own ? own.nll : Number.NaN)) };
}

const ITEMS = IDS.map((id) => ({ document_id: id, target: TARGET }));
const nllsOf = (body: { items: { nll: number }[] }) => body.items.map(({ nll }) => nll);
const isNear = (some: readonly number[], others: readonly number[]) =>
  some.every((own, at) => Math.abs(own - others[at]!) < 1e-5);

async function catalogueOfTwo() {
  const folder = path.join(await temporaryFolder(), 'catalogue');
  const catalogue = await openCatalogue(folder, { create: true });
  const [blue, green] = [await published(catalogue, model, 24), await published(catalogue, model, 80)];
  await catalogue.activate(blue.id);
  return { folder, catalogue, blue, green };
}

describe('a served catalogue', () => {
  it('changes its generation under load, and every answer is wholly of one', async () => {
    const { folder, catalogue, blue, green } = await catalogueOfTwo();
    const { ask, parts } = await served(model, { store: `packed:${folder}` });
    const answers: Promise<{ status: number; body: never }>[] = [];
    let done = 0;
    const load = (async () => {
      for (let i = 0; i < REQUESTS; i++) {
        answers.push(ask('POST', '/v1/score', { items: ITEMS }) as never);
        if (i % 8 === 7) await answers[i - 4];
        done++;
      }
    })();
    for (let i = 0; i < SWITCHES; i++) {
      const { id } = i % 2 === 0 ? green : blue;
      const { status, body } = await ask('POST', '/admin/aliases/live', { generation: id, reason: `switch ${i}` });
      expect([status, body.generation, body.served]).toEqual([200, id, true]);
      expect(parts.shelf.current.generation?.id).toBe(id);
    }
    await load;
    expect(done).toBe(REQUESTS);
    const kinds = (await Promise.all(answers)).map(({ status, body }) => {
      if (status !== 200) return status;
      const nlls = nllsOf(body);
      return isNear(nlls, blue.nlls) ? 'blue' : isNear(nlls, green.nlls) ? 'green' : JSON.stringify(nlls);
    });
    expect(new Set(kinds)).toEqual(new Set(['blue', 'green']));
    // The other one is still to be had by its name, and the readers of what was are gone.
    const pinned = await ask('POST', '/v1/score', { items: ITEMS, generation: green.id });
    expect(isNear(nllsOf(pinned.body), green.nlls)).toBe(true);
    const { generations } = await catalogue.generations();
    expect(generations.map(({ leases }) => leases).every((leases) => leases <= 1)).toBe(true);
    await catalogue.close();
  });

  it('goes back in one call, and follows what somebody else activates', async () => {
    const { folder, catalogue, blue, green } = await catalogueOfTwo();
    const { ask, parts } = await served(model, { store: `packed:${folder}` });
    await ask('POST', '/admin/aliases/live', { generation: green.id });
    expect(await ask('POST', '/admin/aliases/live', { rollback: true })).toMatchObject({
      status: 200,
      body: { generation: blue.id, before: green.id, served: true },
    });
    expect(isNear(nllsOf((await ask('POST', '/v1/score', { items: ITEMS })).body), blue.nlls)).toBe(true);
    await catalogue.activate(green.id);
    await parts.activation.follow();
    expect(isNear(nllsOf((await ask('POST', '/v1/score', { items: ITEMS })).body), green.nlls)).toBe(true);
    const listed = await ask('GET', '/admin/aliases');
    expect(listed.body).toMatchObject({ served_alias: 'live', served_generation: green.id, problem: null });
    expect(listed.body.generations).toHaveLength(2);
    // Another alias is written down, and changes nothing here.
    expect(await ask('POST', '/admin/aliases/next', { generation: blue.id })).toMatchObject({
      status: 200,
      body: { served: false },
    });
    expect(parts.shelf.current.generation?.id).toBe(green.id);
    await catalogue.close();
  });

  it('loads the model of a generation before it serves it, and goes on with what there is where it cannot', async () => {
    const folder = await temporaryFolder();
    const [first, second] = ['first', 'second'].map((name) => path.join(folder, name)) as [string, string];
    await cp(BUILT_IN_MODEL, first, { recursive: true });
    await editCheckpoint(first, second, {
      'model.decoder.norm.weight': (values) => {
        values[0] = values[0]! + 0.25;
      },
    });
    const { folder: place, catalogue, blue } = await catalogueOfTwo();
    const other = await loadModel(second);
    const red = await published(catalogue, other, 24);
    await other.close();
    const { ask, parts } = await served(model, { store: `packed:${place}` });
    const unloadable = await ask('POST', '/admin/aliases/live', { generation: red.id });
    // Its name is that of a folder that is not here.
    expect(unloadable.status).toBeGreaterThanOrEqual(400);
    expect(unloadable.body.error.message).toContain('Name it as "model"');
    const wrong = await ask('POST', '/admin/aliases/live', { generation: red.id, model: first });
    expect([wrong.status, wrong.body.error.code]).toEqual([409, 'STORE_MISMATCH']);
    expect((await catalogue.named())?.id).toBe(blue.id);
    expect(isNear(nllsOf((await ask('POST', '/v1/score', { items: ITEMS })).body), blue.nlls)).toBe(true);

    expect((await ask('POST', '/admin/aliases/live', { generation: red.id, model: second })).status).toBe(200);
    expect(parts.shelf.current.model.fingerprint).not.toBe(model.fingerprint);
    expect(isNear(nllsOf((await ask('POST', '/v1/score', { items: ITEMS })).body), red.nlls)).toBe(true);
    // A generation of the model before is not read by this one.
    expect((await ask('POST', '/v1/score', { items: ITEMS, generation: blue.id })).body.error.code).toBe(
      'STORE_MISMATCH',
    );
    await catalogue.close();
  });

  it('says where there is nothing to activate', async () => {
    const { ask } = await served(model);
    expect(await ask('GET', '/admin/aliases')).toMatchObject({
      status: 400,
      body: { error: { code: 'INPUT_INVALID' } },
    });
    expect(await ask('POST', '/admin/aliases/live', { rollback: true })).toMatchObject({ status: 400 });
    const { folder, catalogue, blue } = await catalogueOfTwo();
    await catalogue.close();
    const { ask: askCatalogue } = await served(model, { store: `packed:${folder}` });
    for (const body of [{}, { generation: blue.id, rollback: true }, { generation: 'none' }]) {
      expect(await askCatalogue('POST', '/admin/aliases/live', body)).toMatchObject({ status: 400 });
    }
  });
});
