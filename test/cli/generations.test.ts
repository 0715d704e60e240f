/** `dkv store` for catalogues of generations: from a store to what is served, changed, rolled back, compacted, taken down and collected. */
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { z } from 'zod';
import { openStore } from '../../src/store/open.js';
import {
  catalogueVerificationSchema,
  storeAliasSchema,
  storeAuditLineSchema,
  storeCompactionSchema,
  storeDifferenceCountsSchema,
  storeDifferenceSchema,
  storeGenerationCollectionSchema,
  storeGenerationsSchema,
  storeLiftSchema,
  storePackSchema,
  storeTakedownSchema,
  storeTakedownsSchema,
} from '../../src/wire/generations.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';
import { startS3 } from '../support/s3.js';

const DOCUMENTS = 60;
const idOf = (number: number) => `ad-${number}`;

let cwd: string;
const run = (...args: string[]) => dkv(['store', ...args], { cwd });

async function json<Schema extends z.ZodType>(schema: Schema, ...args: string[]): Promise<z.output<Schema>> {
  const { stdout, stderr, exitCode } = await run(...args, '--json');
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return schema.parse(JSON.parse(stdout)) as z.output<Schema>;
}

/** Puts documents into the store, each bare and behind something that all of them share. */
async function put(numbers: Iterable<number>, version = 0): Promise<void> {
  const store = await openStore(path.join(cwd, 'ads'));
  for (const number of numbers) {
    const records = { bare: recordOf(number + version * 1000), kw: recordOf(number + 500 + version * 1000) };
    await store.putDocument(idOf(number), records, { metadata: { fields: { price: number } } });
  }
  await store.close();
}

/** What a generation serves, by the copy that is made of it. */
async function servedIn(query = ''): Promise<ReadonlyMap<string, unknown>> {
  const store = await openStore(`packed:${path.join(cwd, 'cat')}${query}`);
  const served = new Map<string, unknown>();
  for await (const id of store.ids()) served.set(id, (await store.getDocument(id, 'bare'))?.record.states.data[0]);
  await store.close();
  return served;
}

beforeEach(async () => {
  cwd = await temporaryFolder();
  await put(Array.from({ length: DOCUMENTS }, (_, number) => number));
});

describe('dkv store, of catalogues', () => {
  it('packs, publishes, changes, rolls back, compacts, takes down and collects', async () => {
    const packed = await run('pack', 'ads', 'cat', '--shard-size', '8kB');
    expect(packed).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('A base of all documents: no alias') });
    expect(packed.stdout).toMatch(/^\S+, a draft: 60 documents packed, 0 taken out, 0 as before; 60 in 1 layer/);
    expect((await run('publish', 'cat')).stdout).toMatch(/published: 60 documents in 1 layer\. No alias/);
    const first = await json(storeAliasSchema, 'activate', 'packed:cat', '--reason', 'the first');
    expect(first).toMatchObject({ alias: 'live', before: null });
    const whole = await servedIn();
    expect(whole.size).toBe(DOCUMENTS);

    await put([7], 1);
    await put([DOCUMENTS]);
    const delta = await json(storePackSchema, 'pack', 'ads', 'cat', '--activate');
    expect(delta).toMatchObject({ parent: first.generation, packed: 2, unchanged: 59, layers: 2, alias: 'live' });
    const changed = await servedIn();
    expect(changed.get('ad-7')).not.toBe(whole.get('ad-7'));
    const lines = (await run('diff', 'cat', first.generation, 'live', '--json')).stdout.trim().split('\n');
    const differences = lines.slice(0, -1).map((line) => storeDifferenceSchema.parse(JSON.parse(line)));
    expect(differences.sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      { id: 'ad-60', change: 'added' },
      { id: 'ad-7', change: 'changed' },
    ]);
    expect(storeDifferenceCountsSchema.parse(JSON.parse(lines.at(-1)!))).toEqual({ added: 1, removed: 0, changed: 1 });
    expect(await json(storePackSchema, 'pack', 'ads', 'cat')).toMatchObject({ changed: false, writtenBytes: 0 });

    expect(await json(storeAliasSchema, 'rollback', 'cat', '--reason', 'wrong')).toMatchObject({
      generation: first.generation,
      before: delta.generation,
    });
    expect(await servedIn()).toEqual(whole);
    await run('activate', 'cat', delta.generation.slice(0, -8));
    expect(await servedIn()).toEqual(changed);

    const down = await json(storeTakedownSchema, 'takedown', 'cat', 'ad-3', 'not-yet', '--reason', 'withdrawn');
    expect(down.documents).toMatchObject([
      { id: 'ad-3', status: 'hidden', new: true, generations: 2 },
      { id: 'not-yet', status: 'hidden', new: true, generations: 0 },
    ]);
    for (const query of ['', `?generation=${first.generation}`])
      expect((await servedIn(query)).has('ad-3')).toBe(false);
    expect((await run('takedown', 'cat', 'ad-3')).stdout).toContain('ad-3: was taken down before');
    await run('copy', 'packed:cat', 'copied');
    expect((await run('stats', 'copied')).stdout).toMatch(/^documents +60$/m);

    const compacted = await json(storeCompactionSchema, 'compact', 'cat', '--activate');
    expect(compacted).toMatchObject({ from: delta.generation, documents: 60, takenDown: 1, alias: 'live' });
    const rehearsed = await json(storeGenerationCollectionSchema, 'collect', 'cat', '--min-age', '0', '--dry-run');
    expect(rehearsed).toMatchObject({ dryRun: true, generations: [first.generation, delta.generation].sort() });
    expect(await json(storeGenerationsSchema, 'generations', 'cat')).toMatchObject({ generations: { length: 3 } });
    const collected = await json(storeGenerationCollectionSchema, 'collect', 'cat', '--min-age', '0');
    expect(collected).toEqual({ ...rehearsed, dryRun: false });
    const { generations, takenDown } = await json(storeGenerationsSchema, 'generations', 'cat');
    expect(generations).toMatchObject([{ id: compacted.generation, aliases: ['live'], documents: 60, damage: null }]);
    expect(takenDown).toBe(2);
    const { documents } = await json(storeTakedownsSchema, 'takedowns', 'cat');
    expect(documents.map(({ id, status, reason }) => [id, status, reason]).sort()).toEqual([
      ['ad-3', 'erased', 'withdrawn'],
      ['not-yet', 'erased', 'withdrawn'],
    ]);
    // What is erased is not packed again either.
    expect(await json(storePackSchema, 'pack', 'ads', 'cat')).toMatchObject({ changed: false, takenDown: 1 });
    expect(await json(storeLiftSchema, 'takedown', 'cat', 'ad-3', '--lift')).toMatchObject({
      documents: [{ id: 'ad-3', before: 'erased' }],
    });
    expect(await json(storePackSchema, 'pack', 'ads', 'cat', '--activate')).toMatchObject({ packed: 1 });
    expect(await servedIn()).toEqual(changed);
    const audit = (await run('audit', 'cat', '--json')).stdout.trim().split('\n');
    const actions = audit.map((line) => storeAuditLineSchema.parse(JSON.parse(line)).action);
    expect(new Set(actions)).toEqual(
      new Set(['publish', 'activate', 'rollback', 'takedown', 'compact', 'collect', 'erase', 'lift']),
    );
  });

  it('packs two at once, of which each is whole', async () => {
    const both = await Promise.all([run('pack', 'ads', 'cat', '--activate'), run('pack', 'ads', 'cat', '--activate')]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect((await servedIn()).size).toBe(DOCUMENTS);
    const { generations } = await json(storeGenerationsSchema, 'generations', 'cat');
    expect(generations.flatMap(({ aliases }) => aliases)).toEqual(['live']);
  });

  it('takes ids from files', async () => {
    await run('pack', 'ads', 'cat', '--activate');
    await writeFile(path.join(cwd, 'ids.txt'), 'ad-1\r\n\nad-2\n');
    await run('takedown', 'cat', 'ad-5', '--file', 'ids.txt');
    const { documents } = await json(storeTakedownsSchema, 'takedowns', 'cat');
    expect(documents.map(({ id }) => id).sort()).toEqual(['ad-1', 'ad-2', 'ad-5']);
  });

  it('does the same in a bucket', async () => {
    const s3 = await startS3();
    onTestFinished(() => s3.stop());
    const inBucket = (...args: string[]) => dkv(['store', ...args], { cwd, env: s3.env });
    const place = 'packed:s3://bucket/ads';
    expect((await inBucket('generations', place)).stderr).toContain('there is no catalogue');
    expect(await inBucket('pack', 'ads', place, '--activate')).toMatchObject({ exitCode: 0 });
    await put([7], 1);
    expect((await inBucket('pack', 'ads', place, '--activate')).stdout).toContain('1 document packed');
    expect((await inBucket('rollback', place)).exitCode).toBe(0);
    expect((await inBucket('takedown', place, 'ad-3')).stdout).toContain('hidden in 2 generations');
    expect((await inBucket('stats', place)).stdout).toMatch(/^documents +59$/m);
    expect((await inBucket('compact', place, '--activate')).exitCode).toBe(0);
    expect((await inBucket('verify', place)).stdout).toMatch(/3 generations, .*, 0 damaged/);
    expect((await inBucket('generations', 's3://bucket/ads')).stdout).toContain('1 document taken down');
  });

  it('refuses by name', async () => {
    await run('pack', 'ads', 'cat', '--activate');
    await put([1], 2);
    await run('pack', 'ads', 'cat', '--publish');
    for (const [args, message] of [
      [['stats', 'packed:cat?alias=canary'], /cat has no alias canary/],
      [['compact', 'cat', 'canary'], /"canary" is no generation/],
      [['activate', 'cat', '2'], /"2" is the beginning of 2 generations/],
      [['activate', 'packed:cat?alias=live'], /leave out what stands behind "\?"/],
      [['activate', 'cat', '--alias', 'No'], /"No" is no name of an alias/],
      [['rollback', 'cat'], /alias live named no other generation before/],
      [['publish', 'cat'], /no draft to publish/],
      [['takedown', 'ads', 'ad-1'], /ads is a store, and a catalogue .* dkv store pack ads ads-catalogue/],
      [['takedown', 'cat'], /No document is named/],
      [['pack', 'ads', 'ads'], /ads is a store/],
      [['pack', 'nowhere', 'new'], /nowhere: there is no store/],
      [['generations', 'nowhere'], /nowhere: there is no catalogue/],
      [['gc', 'packed:cat'], /STORE_READONLY.*dkv store collect/],
      [['copy', 'ads', 'packed:cat'], /STORE_READONLY.*dkv store pack STORE packed:cat/],
      [['import', 'packed:cat', 'x.dkv'], /STORE_READONLY/],
      [['verify', 'packed:cat', '--remove'], /--repair-from/],
      [['verify', 'ads', '--documents', 'x'], /--remove/],
    ] as [string[], RegExp][]) {
      const { exitCode, stderr } = await run(...args);
      expect(stderr).toMatch(message);
      expect(exitCode).toBe(2);
    }
    for (const name of ['nowhere', 'new']) expect(existsSync(path.join(cwd, name))).toBe(false);
    await writeFile(path.join(cwd, 'documents.jsonl'), '{"id":"a","text":"A lamp."}\n');
    const primed = await dkv(['prime', '--input', 'documents.jsonl', '--store', 'packed:cat'], { cwd });
    expect(primed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('STORE_READONLY') });
  });
});

describe('dkv store verify packed:', () => {
  const verified = async (...args: string[]) => {
    const { exitCode, stdout } = await run('verify', 'packed:cat', ...args, '--json');
    return { exitCode, ...catalogueVerificationSchema.parse(JSON.parse(stdout)) };
  };

  /** Flips the last byte of a record's states in the first of the shards, and says in which file. */
  async function flip(at: number): Promise<string> {
    const [name] = await readdir(path.join(cwd, 'cat/shards'));
    const file = path.join(cwd, 'cat/shards', name!);
    const bytes = await readFile(file);
    await writeFile(file, bytes.with(at, bytes[at]! ^ 1));
    return `shards/${name}`;
  }

  it('names a damaged shard and repairs it from a copy', async () => {
    await run('pack', 'ads', 'cat', '--activate');
    await run('takedown', 'cat', 'ad-1');
    await cp(path.join(cwd, 'cat'), path.join(cwd, 'copy'), { recursive: true });
    expect(await verified()).toMatchObject({ exitCode: 0, shards: 1, takedowns: 1, aliases: 1, damaged: [] });
    const name = await flip(300);
    expect(await verified()).toMatchObject({ exitCode: 1, damaged: [{ kind: 'shard', name, documents: DOCUMENTS }] });
    expect((await run('verify', 'packed:cat')).stdout).toContain(`${name} is damaged: its`);
    expect(await verified('--repair-from', 'copy')).toMatchObject({ exitCode: 0, damaged: [], repaired: [name] });
    expect(await verified()).toMatchObject({ exitCode: 0, damaged: [] });
    // All that an alias needs, and takedowns without which nothing is served.
    await rm(path.join(cwd, 'cat/generations'), { recursive: true });
    await rm(path.join(cwd, 'cat/shards'), { recursive: true });
    await rm(path.join(cwd, 'cat/takedowns'), { recursive: true });
    await run('activate', 'copy');
    await cp(path.join(cwd, 'copy/aliases'), path.join(cwd, 'cat/aliases'), { recursive: true });
    expect((await run('stats', 'packed:cat')).exitCode).toBe(1);
    expect(await verified('--repair-from', 'packed:copy')).toMatchObject({ exitCode: 0, damaged: [] });
    expect((await servedIn()).has('ad-1')).toBe(false);
    expect((await servedIn()).size).toBe(DOCUMENTS - 1);
  });

  it('writes documents whose records are damaged, to be primed and packed again', async () => {
    await run('pack', 'ads', 'cat', '--activate');
    await flip(300);
    const { exitCode, lost } = await verified('--documents', 'lost.jsonl');
    expect({ exitCode, lost }).toEqual({ exitCode: 1, lost: { withText: 1, withoutText: 0, unknown: 0 } });
    const { id, text, price } = JSON.parse(await readFile(path.join(cwd, 'lost.jsonl'), 'utf8'));
    expect(text).toMatch(/^Running shoes, size/);
    expect(id).toBe(idOf(price));
    expect((await run('copy', 'packed:cat', 'broken')).stderr).toContain('--repair-from COPY');
    expect(await json(storePackSchema, 'pack', 'ads', 'cat')).toMatchObject({ changed: false });
    const again = await json(storePackSchema, 'pack', 'ads', 'cat', '--again', 'lost.jsonl', '--activate');
    expect(again).toMatchObject({ packed: 1, unchanged: DOCUMENTS - 1 });
    expect((await servedIn()).size).toBe(DOCUMENTS);
    await run('compact', 'cat', '--activate');
    await run('collect', 'cat', '--min-age', '0');
    expect(await verified()).toMatchObject({ exitCode: 0, damaged: [] });
  });
});
