/** Plans, work and finish with the built-in model: the generation is that of one machine, whatever happens on the way. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDocuments } from '../../src/datasets/documents.js';
import { FleetFiles } from '../../src/fleet/files.js';
import { finishPlan } from '../../src/fleet/finish.js';
import { encodePlan, type NamedPlan } from '../../src/fleet/plan.js';
import { secondsLeft, statusOf } from '../../src/fleet/status.js';
import { workChunk } from '../../src/fleet/work.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import { activate } from '../../src/store/generations/aliases.js';
import { collect } from '../../src/store/generations/collect.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import type { Manifest } from '../../src/store/generations/manifest.js';
import { packStore } from '../../src/store/generations/pack.js';
import { shardName } from '../../src/store/generations/shard-reader.js';
import { Takedowns } from '../../src/store/generations/takedowns.js';
import { openStore } from '../../src/store/open.js';
import { slotOf } from '../../src/store/records/entry.js';
import type { Store } from '../../src/store/store.js';
import { adOf, documentsIn, HOW, mixedRows, planned, writeRows } from './corpus.js';

let model: Model;
let folder: string;

beforeAll(async () => {
  model = await loadModel(BUILT_IN_MODEL);
  folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-fleet-test-'));
});

afterAll(async () => {
  await model.close();
  await rm(folder, { recursive: true, force: true });
});

const catalogue = (name: string) => new FolderFiles(path.join(folder, name));

async function workAll(files: FolderFiles, named: NamedPlan): Promise<void> {
  // In no order.
  for (const chunk of [...named.plan.chunks.keys()].reverse()) await workChunk(files, named, chunk, model);
}

/** What one machine makes of the same rows, in shards of the same number. */
async function alone(store: Store, file: string, name: string, bits: number, parent?: Parameters<typeof packStore>[2]) {
  const { rows } = await openDocuments(file, {});
  await prime(model, store, rows, { ...HOW, surrogates: ['title'] });
  const files = catalogue(name);
  const { sizeBytes } = await store.stats();
  return packStore(store, files, { shardBytes: sizeBytes / 2 ** bits, ...parent });
}

function withoutTime({ madeAt: _, ...manifest }: Manifest) {
  return manifest;
}

describe('a plan', () => {
  it('is worked on and finished as the generation of one machine', async () => {
    const file = await writeRows(folder, 'ads.jsonl', mixedRows(40));
    const files = catalogue('one');
    const named = await planned(files, model, file);
    expect((await planned(files, model, file)).id).toBe(named.id);
    expect(named.plan.chunks.reduce((sum, { rows }) => sum + rows, 0)).toBe(44);
    // Nothing of where this package is installed.
    expect(named.plan.model.reference).toBe('built-in');
    await workAll(files, named);
    expect(await workChunk(files, named, 0, model)).toMatchObject({ isNew: false });
    const finished = await finishPlan(files, named);
    const rejected = finished!.reports.flatMap((report) => report.rejected.map(({ row }) => row));
    expect(rejected.sort()).toEqual([42, 43, 44]);
    const store = await openStore('memory:');
    const packed = await alone(store, file, 'alone', named.plan.bits);
    await store.close();
    expect(withoutTime(finished!.generation.manifest)).toEqual(withoutTime(packed.generation.manifest));
    expect(finished!.generation.manifest.documents).toBe(40);
    const again = await finishPlan(files, named);
    expect(again).toMatchObject({ isNew: false, generation: { id: finished!.generation.id } });
  });

  it('is the same of a corpus in other pieces, compressed or not, and has every document once', async () => {
    const rows = mixedRows(30);
    const whole = await writeRows(folder, 'whole.jsonl', rows);
    const first = path.join(folder, 'first.jsonl.gz');
    // Two members, as of files that were put behind each other.
    await writeFile(
      first,
      Buffer.concat([rows.slice(0, 5), rows.slice(5, 12)].map((part) => gzipSync(`${part.join('\n')}\n`))),
    );
    const second = await writeRows(folder, 'second.jsonl', rows.slice(12));
    const files = catalogue('pieces');
    const chunks = async (inputs: readonly string[]) =>
      (await planned(files, model, inputs)).plan.chunks.map(({ part, rows }) => [part, rows]);
    expect(await chunks([first, second])).toEqual(await chunks([whole]));
  });

  it('has every row once, and all rows of an id in one chunk in their order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        async (ids, chunkRows) => {
          const file = await writeRows(
            folder,
            'any.jsonl',
            ids.map((id, at) => adOf(id, `Text ${at}`)),
          );
          const files = catalogue('any');
          const named = await planned(files, model, file, { chunkRows });
          const chunks = await Promise.all(
            [...named.plan.chunks.keys()].map((chunk) => new FleetFiles(files).rows(named, chunk)),
          );
          const rows = chunks.map((lines) => lines.map((line) => JSON.parse(line) as { row: number; id: string }));
          expect(
            rows
              .flat()
              .map(({ row }) => row)
              .sort((one, other) => one - other),
          ).toEqual(ids.map((_, at) => at + 1));
          const holders = new Map<string, number[]>();
          for (const [chunk, own] of rows.entries())
            for (const { id } of own) holders.set(id, [...(holders.get(id) ?? []), chunk]);
          for (const own of holders.values()) expect(new Set(own).size).toBe(1);
          for (const own of rows) {
            for (const id of new Set(own.map((row) => row.id))) {
              const numbers = own.filter((row) => row.id === id).map(({ row }) => row);
              expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
            }
          }
          await new FleetFiles(files).drop(named.id);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('is refused by another release, another model, and without its rows', async () => {
    const files = catalogue('refused');
    const named = await planned(files, model, await writeRows(folder, 'few.jsonl', [adOf(1), adOf(2)]));
    const later = { ...named.plan, release: '99.0.0' };
    const other = { id: encodePlan(later).id, plan: later };
    await expect(workChunk(files, other, 0, model)).rejects.toThrow(/FLEET_MISMATCH|was made by release 99\.0\.0/);
    await expect(finishPlan(files, other)).rejects.toMatchObject({ code: 'FLEET_MISMATCH' });
    const stranger = { ...model, fingerprint: 'e'.repeat(64), formerly: [] };
    await expect(workChunk(files, named, 0, stranger)).rejects.toMatchObject({ code: 'FLEET_MISMATCH' });
    await files.put(`fleet/${named.id}/rows/0.gz`, gzipSync('{"row":1,"id":"ad 1","text":"Another"}\n'));
    await expect(workChunk(files, named, 0, model)).rejects.toMatchObject({ code: 'FLEET_MISMATCH' });
    // Planning again brings the rows back.
    await planned(files, model, path.join(folder, 'few.jsonl'));
    expect(await workChunk(files, named, 0, model)).toMatchObject({ isNew: true });
    await files.put(`fleet/${named.id}/plan.json`, Buffer.from(`${JSON.stringify(later)}\n`));
    await expect(new FleetFiles(files).plan(named.id)).rejects.toMatchObject({ code: 'STORE_DAMAGED' });
  });

  it('is not finished while a chunk is missing or damaged, and names it', async () => {
    const files = catalogue('missing');
    const named = await planned(
      files,
      model,
      await writeRows(
        folder,
        'some.jsonl',
        Array.from({ length: 20 }, (_, n) => adOf(n)),
      ),
    );
    await workAll(files, named);
    const fleet = new FleetFiles(files);
    const { part } = (await fleet.report(named.id, 1))!;
    const name = shardName(part.shard!.digest);
    const bytes = Buffer.from((await files.read(name))!.bytes);
    bytes[40]! ^= 1;
    await files.put(name, bytes);
    await fleet.dropReport(named.id, 2);
    await fleet.putFailure(named.id, { chunk: 2, code: 'ENGINE_FAILED', message: 'it is poisoned', host: 'h', at: 0 });
    const refused = finishPlan(files, named);
    await expect(refused).rejects.toMatchObject({ code: 'FLEET_INCOMPLETE' });
    await expect(refused).rejects.toThrow(
      /not primed \(2\).*missing or damaged \(1\)[\s\S]*Chunk 2 failed.*it is poisoned/,
    );
    const status = await statusOf(files, named);
    expect(status).toMatchObject({ missing: [2], failures: [{ chunk: 2, attempts: 1 }] });
    expect(secondsLeft(status, 2)).toBeCloseTo(secondsLeft(status, 1)! / 2);
    // What was damaged is made again, the same.
    expect(await workChunk(files, named, 1, model)).toMatchObject({ isNew: true });
    expect((await files.read(name))!.bytes.equals(bytes)).toBe(false);
    await workChunk(files, named, 2, model);
    expect((await finishPlan(files, named))!.generation.manifest.documents).toBe(20);
    expect((await statusOf(files, named)).failures).toEqual([]);
  });

  it('gives one generation to coordinators that finish together', async () => {
    const files = catalogue('two');
    const named = await planned(files, model, await writeRows(folder, 'two.jsonl', [adOf(1), adOf(2), adOf(3)]));
    await workAll(files, named);
    const [one, other] = await Promise.all([finishPlan(files, named), finishPlan(catalogue('two'), named)]);
    expect(one!.generation.id).toBe(other!.generation.id);
    const generations: string[] = [];
    for await (const { name } of files.list('generations/')) generations.push(name);
    expect(generations).toEqual([`${one!.generation.id}.json`]);
  });

  it('keeps its shards from a collection until it is finished, and stops without a trace', async () => {
    const files = catalogue('collected');
    const named = await planned(
      files,
      model,
      await writeRows(
        folder,
        'three.jsonl',
        Array.from({ length: 13 }, (_, n) => adOf(n)),
      ),
    );
    await workChunk(files, named, 0, model);
    const stopped = workChunk(files, named, 1, model, { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'CANCELLED' });
    const { shards } = await collect(files, new Takedowns(files), { minimumAgeMs: -5000 });
    expect(shards).toBe(0);
    expect((await statusOf(files, named)).done).toBe(1);
    await workAll(files, named);
    const { generation } = (await finishPlan(files, named))!;
    expect((await documentsIn(files, generation)).size).toBe(13);
    await new FleetFiles(files).drop(named.id);
    await expect(new FleetFiles(files).plan(named.id)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('a plan of what differs from a generation', () => {
  it('is the delta of one machine', async () => {
    const before = await writeRows(
      folder,
      'before.jsonl',
      Array.from({ length: 30 }, (_, n) => adOf(n)),
    );
    const files = catalogue('delta');
    const first = await planned(files, model, before);
    await workAll(files, first);
    const { generation: parent } = (await finishPlan(files, first))!;
    await activate(files, new Takedowns(files), 'live', parent.id);
    const store = await openStore('memory:');
    const base = await alone(store, before, 'alone-delta', first.plan.bits);
    // Of 30 documents 3 go, 2 change (one to what is rejected), one is taken down and changes, 2 are new.
    const takedown = { slot: slotOf('ad 9', ''), id: 'ad 9', status: 'hidden', at: 0, reason: null } as const;
    for (const place of [files, catalogue('alone-delta')]) await new Takedowns(place).add([takedown]);
    const after = await writeRows(folder, 'after.jsonl', [
      ...Array.from({ length: 27 }, (_, n) =>
        n === 5 || n === 9 ? adOf(n, 'Now cheaper') : n === 7 ? '{"id":"ad 7","text":""}' : adOf(n),
      ),
      adOf(40),
      adOf(41),
    ]);
    const second = await planned(files, model, after, { parent });
    const counts = second.plan.chunks.reduce(
      (sum, { rows, removed }) => ({ rows: sum.rows + rows, removed: sum.removed + removed }),
      { rows: 0, removed: 0 },
    );
    expect(counts).toEqual({ rows: 4, removed: 3 });
    expect(second.plan.unchanged.documents).toBe(25);
    await workAll(files, second);
    const { generation } = (await finishPlan(files, second))!;
    for (const gone of [27, 28, 29]) await store.deleteDocument(`ad ${gone}`);
    const { rows } = await openDocuments(after, {});
    await prime(model, store, rows, { ...HOW, surrogates: ['title'] });
    const packed = await packStore(store, catalogue('alone-delta'), { parent: base.generation, shardBytes: 2 ** 40 });
    await store.close();
    const [own, theirs] = [generation.manifest, packed.generation.manifest];
    expect(own).toMatchObject({ documents: theirs.documents, variants: theirs.variants, parent: parent.id });
    expect(await documentsIn(files, generation)).toEqual(
      await documentsIn(catalogue('alone-delta'), packed.generation),
    );
    if (second.plan.bits === 0) expect(own.layers[1]).toEqual(theirs.layers[1]);
    // Nothing differs any more but what is rejected again.
    const third = await planned(files, model, after, { parent: generation });
    expect(third.plan.chunks.map(({ rows: count }) => count)).toEqual([1]);
  });

  it('is refused where the parent was primed otherwise', async () => {
    const files = catalogue('otherwise');
    const file = await writeRows(folder, 'otherwise.jsonl', [adOf(1)]);
    const first = await planned(files, model, file);
    await workAll(files, first);
    const { generation: parent } = (await finishPlan(files, first))!;
    const how = { ...HOW, statesPrecision: 'float32' } as const;
    await expect(planned(files, model, file, { parent, how })).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
    expect((await planned(files, model, file, { parent })).plan.chunks).toEqual([]);
    const expiring = await planned(files, model, file, { parent, expiresAt: Date.now() + 1e9 });
    expect(expiring.plan.chunks).toHaveLength(1);
  });
});
