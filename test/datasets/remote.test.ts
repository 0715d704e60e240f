/** Data on the hub: what is asked for, what is kept, what goes wrong. */
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataset } from '../../src/datasets/open.js';
import type { OpenOptions } from '../../src/datasets/options.js';
import { openTable, splitFiles } from '../../src/datasets/table.js';
import { hubSettings } from '../../src/hub/settings.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { parquetFile, words } from './parquet.js';

const ID = 'neural-bridge/rag-dataset-12000';
const FILE = 'data/train-00000-of-00001-9df3a936e1f63191.parquet';
const TYPES = { context: 'STRING', question: 'STRING', answer: 'STRING', notes: 'STRING' } as const;
/** The unused column is most of the file. */
const ROWS = Array.from({ length: 900 }, (_, i) => ({
  context: words(30, `c${i}`),
  question: words(15, `q${i}`),
  answer: words(5, `a${i}`),
  notes: words(200, `n${i}`),
}));
const CONTENT = parquetFile(ROWS, TYPES, 100);
const REQUEST = { count: 20, seed: 42 };

let hub: HubStandIn;
let home: string;
let commit: string;

beforeEach(async () => {
  hub = await HubStandIn.start();
  home = await temporaryFolder();
  commit = hub.publishData(ID, { [FILE]: CONTENT, 'README.md': Buffer.from('# data') });
});
afterEach(() => hub.stop());

const settings = (variables: NodeJS.ProcessEnv = {}) =>
  hubSettings({ HF_HOME: home, HF_ENDPOINT: hub.url, ...variables }, home);
const open = (variables: NodeJS.ProcessEnv = {}, options: OpenOptions = {}) =>
  openDataset('neural-bridge', REQUEST, { hub: settings(variables), ...options });
const repository = () => path.join(home, 'hub', 'datasets--neural-bridge--rag-dataset-12000');
const content = () => hub.requests.filter(({ host }) => host === 'content');

describe('reading from the hub', () => {
  it('asks for the commit, its files, the end of the file and the columns that are needed', async () => {
    const dataset = await open();
    expect(dataset).toMatchObject({ name: 'neural-bridge', revision: commit });
    expect(dataset.samples).toHaveLength(20);
    const own = hub.requests.filter(({ host, url }) => host === 'hub' && url.startsWith('/api/'));
    expect(own.map(({ url }) => url)).toEqual([
      `/api/datasets/${ID}/revision/main`,
      `/api/datasets/${ID}/tree/${commit}?recursive=true`,
    ]);
    expect(content()[0]!.range).toBe(`bytes=${CONTENT.length - 65_536}-${CONTENT.length - 1}`);
    const bytes = content().reduce((sum, { sentBytes }) => sum + sentBytes, 0) - 65_536;
    // Three columns of the first row group: a fifth of its bytes, and of nine groups the first.
    expect(bytes).toBeLessThan((CONTENT.length / 9) * 0.3);
    expect(bytes).toBeGreaterThan((CONTENT.length / 9) * 0.1);
  });

  it('asks for nothing twice, and offline for nothing at all', async () => {
    const first = await open();
    hub.requests.length = 0;
    const second = await open();
    expect(hub.requests.map(({ url }) => url)).toEqual([`/api/datasets/${ID}/revision/main`]);
    hub.requests.length = 0;
    const third = await open({ HF_HUB_OFFLINE: '1' });
    const pinned = await open({}, { revision: commit });
    expect(hub.requests).toEqual([]);
    expect([second.digest, third.digest, pinned.digest]).toEqual([first.digest, first.digest, first.digest]);
    expect(third.revision).toBe(commit);
  });

  it('says what is missing offline', async () => {
    const offline = { HF_HUB_OFFLINE: '1' };
    await expect(open(offline)).rejects.toMatchObject({
      code: 'HUB_OFFLINE',
      message: expect.stringMatching(/has nothing of neural-bridge\/rag-dataset-12000 at main.*same command once/),
    });
    await open();
    // More samples than were read before.
    await expect(
      openDataset('neural-bridge', { count: 200, seed: 42 }, { hub: settings(offline) }),
    ).rejects.toMatchObject({
      code: 'HUB_OFFLINE',
      message: expect.stringMatching(/lacks bytes \d+ to \d+ of neural-bridge/),
    });
  });

  it("leaves no part behind that is not whole, and writes nothing into Python's own folders", async () => {
    await open();
    expect(await readdir(repository())).toEqual(['dkv']);
    const names = await readdir(repository(), { recursive: true });
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(await readFile(path.join(repository(), 'dkv/refs/main'), 'utf8')).toBe(commit);
  });

  it('fetches a part again that was damaged on disk', async () => {
    const { digest } = await open();
    const parts = path.join(repository(), 'dkv/parts');
    const [folder] = await readdir(parts);
    const [damaged, cut] = await readdir(path.join(parts, folder!));
    const bytes = await readFile(path.join(parts, folder!, damaged!));
    bytes[bytes.length - 3]! ^= 1;
    await writeFile(path.join(parts, folder!, damaged!), bytes);
    await writeFile(path.join(parts, folder!, cut!), Buffer.alloc(10));
    hub.requests.length = 0;
    expect((await open()).digest).toBe(digest);
    expect(content()).toHaveLength(2);
  });

  it('asks again for a listing that was damaged on disk', async () => {
    const { digest } = await open();
    const names = await readdir(repository(), { recursive: true });
    const listing = path.join(repository(), names.find((name) => path.basename(name) === `${commit}.json`)!);
    for (const damaged of ['[{"path":', '[{"path":7}]']) {
      await writeFile(listing, damaged);
      expect((await open()).digest).toBe(digest);
      expect(JSON.parse(await readFile(listing, 'utf8'))).toHaveLength(2);
    }
  });

  it("uses Python's download as it is, with or without the hub", async () => {
    const blob = path.join(repository(), 'blobs/0123');
    const link = path.join(repository(), 'snapshots', commit, FILE);
    await mkdir(path.dirname(blob), { recursive: true });
    await mkdir(path.dirname(link), { recursive: true });
    await mkdir(path.join(repository(), 'refs'));
    await writeFile(blob, CONTENT);
    await symlink(path.relative(path.dirname(link), blob), link);
    await writeFile(path.join(repository(), 'refs/main'), commit);
    const offline = await open({ HF_HUB_OFFLINE: '1' });
    expect(hub.requests).toEqual([]);
    expect(offline.revision).toBe(commit);
    expect((await open()).digest).toBe(offline.digest);
    expect(content()).toEqual([]);
  });

  it('goes on with what is kept when the hub does not answer, and says so', async () => {
    const { digest } = await open();
    await hub.stop();
    const notices: string[] = [];
    expect((await open({}, { onNotice: (notice) => notices.push(notice) })).digest).toBe(digest);
    expect(notices).toEqual([expect.stringContaining(`as it was at ${commit}`)]);
    hub = await HubStandIn.start();
  });

  it('notices a new commit under the same branch, and keeps the old one', async () => {
    const first = await open();
    const next = hub.publishData(ID, { [FILE]: parquetFile(ROWS.slice(450), TYPES, 100) });
    const second = await open();
    expect([first.revision, second.revision]).toEqual([commit, next]);
    expect(second.digest).not.toBe(first.digest);
    expect((await open({}, { revision: commit })).digest).toBe(first.digest);
  });

  it('reads listings of several pages', async () => {
    hub.listingPage = 1;
    expect((await open()).samples).toHaveLength(20);
    expect(hub.requests.filter(({ url }) => url.includes('/tree/'))).toHaveLength(2);
  });

  it('reports rows and can be stopped', async () => {
    const many = Array.from({ length: 3 }, () => ROWS).flat();
    hub.publishData(ID, { [FILE]: parquetFile(many, TYPES, 500) });
    const seen: number[] = [];
    await openDataset(
      'neural-bridge',
      { count: 850, seed: 42 },
      { hub: settings(), onRows: (rows) => seen.push(rows) },
    );
    expect(seen).toEqual([1000, 2000]);
    const controller = new AbortController();
    hub.fault = ({ host }) => (host === 'content' ? { millisecondsPerPiece: 50 } : undefined);
    await rm(path.join(home, 'hub'), { recursive: true });
    setTimeout(() => controller.abort(), 100);
    await expect(open({}, { signal: controller.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a token', () => {
  it('opens a gated dataset, and goes to the hub alone', async () => {
    hub.publishData(ID, { [FILE]: CONTENT }, 'gated');
    await open({ HF_TOKEN: hub.token });
    expect(content().length).toBeGreaterThan(0);
    for (const { host, authorization } of hub.requests) {
      expect(authorization).toBe(host === 'hub' ? `Bearer ${hub.token}` : undefined);
    }
  });

  it.each([
    ['without one', {}],
    ['with one that has not accepted the licence', { HF_TOKEN: 'hf_somebodyElse' }],
  ])("is asked for, with the dataset's page, %s", async (_, variables) => {
    hub.publishData(ID, { [FILE]: CONTENT }, 'gated');
    const error = await open(variables).catch((e) => e);
    expect(error).toMatchObject({ code: 'HUB_DENIED' });
    expect(error.message).toMatch(new RegExp(`Accept its licence at ${hub.url}/datasets/${ID}.*HF_TOKEN`));
    expect(error.message).not.toContain('hf_somebodyElse');
  });

  it('is asked for when the hub does not say whether a dataset exists', async () => {
    hub.publishData(ID, { [FILE]: CONTENT }, 'private');
    await expect(open()).rejects.toMatchObject({ code: 'HUB_DENIED' });
    await expect(open({ HF_TOKEN: 'hf_wrong' })).rejects.toMatchObject({ code: 'HUB_NOT_FOUND' });
  });
});

describe('faults', () => {
  const once = (fault: ReturnType<HubStandIn['fault']>) => {
    let done = false;
    hub.fault = ({ host }) => {
      if (done || host !== 'content') return undefined;
      done = true;
      return fault;
    };
  };

  it('go on where a connection broke', async () => {
    once({ cutAfterBytes: 20_000 });
    const { samples } = await open();
    expect(samples).toHaveLength(20);
    const [first, second] = content();
    const start = Number(/bytes=(\d+)-/.exec(first!.range!)![1]);
    const resumed = Number(/bytes=(\d+)-/.exec(second!.range!)![1]);
    expect(resumed).toBeGreaterThan(start);
    expect(resumed).toBeLessThanOrEqual(start + 20_000);
  });

  it('pass over what was not asked for, when a server sends the whole file', async () => {
    const { digest } = await open();
    await rm(path.join(home, 'hub'), { recursive: true });
    hub.fault = ({ host }) => (host === 'content' ? { ignoreRange: true } : undefined);
    expect((await open()).digest).toBe(digest);
  });

  it.each([
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['503', { status: 503 }],
    ['a cut before the first byte', { cutAfterBytes: 0 }],
  ])('pass: %s', async (_, fault) => {
    once(fault);
    expect((await open()).samples).toHaveLength(20);
  });

  it.each<[string, ReturnType<HubStandIn['fault']>, string, RegExp]>([
    ['500', { status: 500 }, 'HUB_UNREACHABLE', /answers 500 \(tried 3 times\)/],
    ['404', { status: 404 }, 'HUB_NOT_FOUND', /no data\/train-00000/],
    ['403', { status: 403 }, 'HUB_DENIED', /Accept its licence/],
    ['a connection that always breaks at once', { cutAfterBytes: 0 }, 'HUB_UNREACHABLE', /tried 3 times/],
  ])('that do not pass end in a clear error: %s', async (_, fault, code, message) => {
    hub.fault = ({ host }) => (host === 'content' ? fault : undefined);
    await expect(open()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('say that a file is no Parquet', async () => {
    hub.publishData(ID, { [FILE]: Buffer.from('<html>moved</html>'.repeat(10)) });
    await expect(open()).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/train-00000.*no Parquet file that can be read/),
    });
  });

  it('say that a dataset, a revision or a split does not exist', async () => {
    const variables = { HF_TOKEN: hub.token };
    await expect(openDataset('ms-marco', REQUEST, { hub: settings(variables) })).rejects.toMatchObject({
      code: 'HUB_NOT_FOUND',
      message: expect.stringContaining('microsoft/ms_marco: no such repository'),
    });
    await expect(open({}, { revision: 'v9' })).rejects.toThrow('no revision v9');
    hub.publishData(ID, { 'README.md': Buffer.from('moved') });
    await expect(open()).rejects.toThrow('has no Parquet files of train; it has none at all');
  });

  it('say that something else answers in the place of a hub', async () => {
    hub.fault = ({ url }) => (url.startsWith('/api/') ? { status: 200 } : undefined);
    await expect(open()).rejects.toThrow('not as a Hugging Face hub');
  });
});

describe('files of a split', () => {
  const two = ['data/train-00000-of-00002-ab.parquet', 'data/train-00001-of-00002-cd.parquet'];

  it('are found in the layouts of the hub, in order', () => {
    expect(splitFiles([...two].reverse(), undefined, 'train')).toEqual(two);
    expect(splitFiles([...two, 'data/train_extra-00000-of-00001.parquet'], undefined, 'train')).toEqual(two);
    expect(
      splitFiles(['v1.1/test-00000-of-00001.parquet', 'v2.1/test-00000-of-00001.parquet'], 'v2.1', 'test'),
    ).toEqual(['v2.1/test-00000-of-00001.parquet']);
    expect(splitFiles(['default/train/0000.parquet', 'default/train/0001.parquet'], undefined, 'train')).toHaveLength(
      2,
    );
    expect(splitFiles(['train.parquet', 'data.csv'], undefined, 'train')).toEqual(['train.parquet']);
    expect(splitFiles(two, undefined, 'test')).toEqual([]);
  });

  it('are all there, or none is used', () => {
    expect(() => splitFiles(two.slice(1), undefined, 'train')).toThrow('Of 2 files of the split train 1 are there');
  });
});

describe('a table at an address', () => {
  const read = async (place: string, variables: NodeJS.ProcessEnv = {}) => {
    const table = await openTable(place, { hub: settings(variables) });
    for await (const [, row] of table.rows(['question'])) return { revision: table.revision, row };
    return undefined;
  };

  it('is read from the hub by its path', async () => {
    expect(await read(`hf://datasets/${ID}/${FILE}`)).toEqual({
      revision: commit,
      row: { question: ROWS[0]!.question },
    });
    expect((await read(`hf://datasets/${ID}@${commit}/${FILE}`))?.revision).toBe(commit);
    await expect(read(`hf://datasets/${ID}/data/none.parquet`)).rejects.toMatchObject({ code: 'HUB_NOT_FOUND' });
    await expect(read('hf://models/x.parquet')).rejects.toThrow(
      'expected hf://datasets/organisation/name/path.parquet',
    );
  });

  it('is read from anywhere in parts, without the token, and kept by its ETag', async () => {
    hub.publishData('some/data', { 'a.parquet': CONTENT });
    const elsewhere = await HubStandIn.start();
    elsewhere.publishData('some/data', { 'a.parquet': parquetFile(ROWS.slice(0, 20), TYPES) });
    try {
      const url = `${elsewhere.url}/datasets/some/data/resolve/main/a.parquet`;
      const online = await read(url, { HF_TOKEN: hub.token });
      expect(online?.row).toEqual({ question: ROWS[0]!.question });
      expect(elsewhere.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
      elsewhere.requests.length = 0;
      expect(await read(url, { HF_HUB_OFFLINE: '1' })).toEqual(online);
      expect(elsewhere.requests).toEqual([]);
      await expect(read(`${url}x`)).rejects.toMatchObject({ code: 'HUB_NOT_FOUND' });
      // Its name stands in records and reports.
      const signed = await openTable(`${url}?X-Amz-Signature=s3cret&sv=s3cret`, { hub: settings({}) });
      expect(signed.name).toBe(`${url}?X-Amz-Signature=[hidden]&sv=[hidden]`);
      elsewhere.fault = () => ({ ignoreRange: true });
      await expect(read(url)).rejects.toThrow('gives no parts of files');
      await expect(read(`${url}?other`, { HF_HUB_OFFLINE: '1' })).rejects.toMatchObject({ code: 'HUB_OFFLINE' });
    } finally {
      await elsewhere.stop();
    }
  });
});
