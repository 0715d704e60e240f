/** The files of a catalogue in a bucket, on the tests' own server, which can be told what others do. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { S3Files } from '../../src/store/generations/s3-files.js';
import { describeFiles } from '../conformance/catalogue-files.js';
import { describeLostAnswers } from '../conformance/lost-answers.js';
import { type RunningS3, startS3 } from '../support/s3.js';
import { freshAddress, s3FilesSuite } from '../support/s3-suites.js';

describe('S3', () => {
  let server: RunningS3;
  let files: S3Files;
  const place = () => ({ options: server.options, bucket: 'bucket' });
  const fresh = (timeoutMs = 60_000) => new S3Files(freshAddress(place()), timeoutMs, server.options);
  const countsOf = async (work: () => Promise<unknown>) => {
    server.counts.clear();
    await work();
    return Object.fromEntries(server.counts);
  };
  const READONLY = { code: 'STORE_READONLY', message: expect.stringContaining('no conditional writes') };
  const [FILE, BYTES] = ['aliases/live.json', Buffer.from('0123456789')];

  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());
  beforeEach(() => {
    files = fresh();
  });
  afterEach(async () => {
    server.mood = {};
    await files.close();
  });

  describeFiles('S3', s3FilesSuite(place, 100));
  describeLostAnswers(place);

  it('tries conditions before the first write of a process, and once', async () => {
    expect(await countsOf(() => files.create(FILE, BYTES))).toEqual({ 'PUT if-none-match': 3, 'PUT if-match': 1 });
    const { version } = (await files.read(FILE))!;
    expect(await countsOf(() => files.replace(FILE, BYTES, version))).toEqual({ 'PUT if-match': 1 });
    expect(await countsOf(() => files.create(FILE, BYTES))).toEqual({ 'PUT if-none-match': 1, HEAD: 1 });
    const others = new S3Files(freshAddress(place()), 60_000, server.options);
    expect(await countsOf(() => Promise.all([1, 2].map((at) => others.create(`audit/${at}.json`, BYTES))))).toEqual({
      'PUT if-none-match': 4,
      'PUT if-match': 1,
    });
    await others.close();
  });

  it('needs no conditions to read and to put, and one request for each', async () => {
    expect(await countsOf(() => files.put(FILE, BYTES))).toEqual({ PUT: 1 });
    expect(await countsOf(() => files.read(FILE))).toEqual({ GET: 1 });
    expect(await countsOf(() => files.readRange(FILE, 2, 3))).toEqual({ 'GET range': 1 });
    expect(await countsOf(() => files.readRange(FILE, 20, 3))).toEqual({ 'GET range': 1 });
    expect(await countsOf(() => files.remove(FILE))).toEqual({ DELETE: 1 });
  });

  it.each([
    ['takes no notice of conditions', { unconditional: true }],
    ['takes no notice of If-Match', { unconditional: true, kinds: ['PUT if-match'] }],
    ['has not implemented them', { status: 501, code: 'NotImplemented', kinds: ['PUT if-match', 'PUT if-none-match'] }],
    ['has not implemented If-Match', { status: 501, code: 'NotImplemented', kinds: ['PUT if-match'] }],
  ] as const)('refuses to write with conditions on a server that %s', async (_, mood) => {
    server.mood = { ...mood };
    await expect(files.create(FILE, BYTES)).rejects.toMatchObject(READONLY);
    await expect(files.replace(FILE, BYTES, '"0"')).rejects.toMatchObject(READONLY);
    expect(await files.read(FILE)).toBeUndefined();
    await files.put(FILE, BYTES);
    expect((await files.read(FILE))!.bytes.equals(BYTES)).toBe(true);
  });

  it('tries conditions again when the server was away the first time', async () => {
    files = fresh(1500);
    server.mood = { status: 503 };
    await expect(files.create(FILE, BYTES)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    server.mood = {};
    expect(await files.create(FILE, BYTES)).toBe(true);
  });

  it('repeats a write that met another one, until the server decides', async () => {
    await files.create('audit/first.json', BYTES);
    const conflict = { status: 409, code: 'ConditionalRequestConflict' };
    server.mood = { ...conflict, times: 3 };
    expect(await files.create(FILE, BYTES)).toBe(true);
    server.mood = { ...conflict, times: 3 };
    expect(await files.create(FILE, BYTES)).toBe(false);
    server.mood = { ...conflict, times: 3 };
    expect(await files.replace(FILE, BYTES, '"other"')).toBe(false);
    server.mood = conflict;
    await expect(files.create('audit/second.json', BYTES)).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('ConditionalRequestConflict'),
    });
  });

  it('knows its own write whose answer the server itself failed to give', async () => {
    await files.create('audit/first.json', BYTES);
    server.mood = { lost: true, times: 1 };
    expect(await files.create(FILE, BYTES)).toBe(true);
    const { version } = (await files.read(FILE))!;
    server.mood = { lost: true, times: 1 };
    expect(await files.replace(FILE, Buffer.from('next'), version)).toBe(true);
  });

  it('cuts the range out of what a server without ranges answers', async () => {
    await files.put(FILE, BYTES);
    server.mood = { rangeless: true };
    expect((await files.readRange(FILE, 2, 3))!.toString()).toBe('234');
    expect((await files.readRange(FILE, 8, 5))!.toString()).toBe('89');
    expect((await files.readRange(FILE, 10, 5))!.length).toBe(0);
    expect((await files.readRange(FILE, 20, 5))!.length).toBe(0);
  });

  it('refuses other bytes than those that were asked for', async () => {
    await files.put(FILE, BYTES);
    for (const shift of [-1, 1]) {
      server.mood = { shift };
      await expect(files.readRange(FILE, 2, 3)).rejects.toMatchObject({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining('bytes 2-4 were asked for, and 3 bytes came as'),
      });
    }
  });

  it('refuses lists in another order than that of the names', async () => {
    for (const at of [1, 2]) await files.put(`shards/${at}.dkv`, BYTES);
    server.mood = { disordered: true };
    const listing = (async () => {
      for await (const _ of files.list('shards/'));
    })();
    await expect(listing).rejects.toMatchObject({
      code: 'STORE_UNREACHABLE',
      message: expect.stringContaining('does not list in the order of names'),
    });
  });

  it('gives larger bodies more time', async () => {
    files = fresh(2000);
    server.mood = { delayMs: 3000 };
    await expect(files.put(FILE, BYTES)).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    await files.put(FILE, Buffer.alloc(33 * 2 ** 20));
  });
});
