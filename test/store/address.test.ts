/** Addresses of stores: each part is understood or refused, and nothing is opened or made for one that is refused. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DkvError } from '../../src/base/errors.js';
import { ADDRESS_FORMS, parseAddress } from '../../src/store/backends/address.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';
import { REDIS_SERVER, type RunningRedis, startRedis } from '../support/redis.js';

const redis = (own: object) => ({
  kind: 'redis',
  isEncrypted: false,
  host: 'h',
  port: 6379,
  database: 0,
  prefix: 'dkv',
  ...own,
});

describe('an address', () => {
  it('is described in the guide, whatever its kind', () => {
    const guide = readFileSync(new URL('../../docs/store.md', import.meta.url), 'utf8');
    for (const form of Object.values(ADDRESS_FORMS)) {
      const [beginning] = /^(?:[a-z0-9]+:|.*)/.exec(form)!;
      expect(guide.replaceAll('`', '')).toContain(`\n| ${beginning}`);
      expect(() => parseAddress('')).toThrow(form);
    }
    expect(() => parseAddress('')).toThrow(/Expected a folder, .*, s3:\/\/bucket\/prefix, .* or memory:\.$/);
  });

  it.each([
    ['memory:', { kind: 'memory' }],
    ['ads', { kind: 'folder', path: 'ads' }],
    ['./redis://h', { kind: 'folder', path: './redis://h' }],
    ['/data/ads.v1', { kind: 'folder', path: '/data/ads.v1' }],
    ['C:\\stores\\ads', { kind: 'folder', path: 'C:\\stores\\ads' }],
    ['d:/stores', { kind: 'folder', path: 'd:/stores' }],
    ['\\\\server\\share', { kind: 'folder', path: '\\\\server\\share' }],
    ['memory', { kind: 'folder', path: 'memory' }],
    ['my ads, old', { kind: 'folder', path: 'my ads, old' }],
    ['redis://h', redis({ shown: 'redis://h:6379/0?prefix=dkv' })],
    ['redis://h/', redis({ shown: 'redis://h:6379/0?prefix=dkv' })],
    ['redis://h?prefix=a%20b', redis({ prefix: 'a b', shown: 'redis://h:6379/0?prefix=a%20b' })],
    ['redis://h:7000/12', redis({ port: 7000, database: 12, shown: 'redis://h:7000/12?prefix=dkv' })],
    ['redis://[::1]:7000', redis({ host: '::1', port: 7000, shown: 'redis://[::1]:7000/0?prefix=dkv' })],
    [
      'rediss://me:p%40%3A%2Fs@h/3?prefix=x',
      redis({
        isEncrypted: true,
        username: 'me',
        password: 'p@:/s',
        database: 3,
        prefix: 'x',
        shown: 'rediss://h:6379/3?prefix=x',
      }),
    ],
    ['redis://:a:b@h', redis({ password: 'a:b', shown: 'redis://h:6379/0?prefix=dkv' })],
    ['s3://bucket', { kind: 's3', bucket: 'bucket', prefix: '', shown: 's3://bucket' }],
    ['s3://my.bucket-1/a/b/', { kind: 's3', bucket: 'my.bucket-1', prefix: 'a/b', shown: 's3://my.bucket-1/a/b' }],
  ])('%s is understood', (location, expected) => {
    expect(parseAddress(location)).toEqual(expected);
  });

  it.each([
    ['', /it is empty/],
    [' redis://h', /white space/],
    ['ads ', /white space/],
    ['a\0b', /control characters/],
    ['memory:x', /nothing may follow "memory:"/],
    ['memory:?maxBytes=3', /nothing may follow/],
    ['Memory:', /"Memory:" is written small/],
    ['redis:/h', /"redis:" is followed by two slashes and written small: redis:\/\/host/],
    ['redis:h', /followed by two slashes/],
    ['Redis://h', /written small: redis:/],
    ['REDISS://h', /written small: rediss:/],
    ['redid://h', /"redid:" is no kind of store/],
    ['http://somewhere', /"http:" is no kind of store/],
    ['file:///ads', /"file:" is not needed/],
    ['localhost:6379', /"localhost:" is no kind of store/],
    ['127.0.0.1:6379', /looks like a server, whose address begins with redis:\/\//],
    ['10.0.0.1:6379/0', /looks like a server/],
    ['//h/0', /looks like an address/],
    ['redis//h', /looks like an address/],
    ['://h', /looks like an address/],
    ['~/ads', /nothing replaced "~"/],
    ['redis://', /names no host/],
    ['redis:///0', /names no host/],
    ['redis://:6379', /names no host/],
    ['redis://h h', /no name of a host/],
    ['redis://h,i', /no name of a host/],
    ['redis://h%41', /no name of a host/],
    ['redis://::1', /no name of a host/],
    ['redis://h:', /what follows ":" is no port/],
    ['redis://h:0', /no port/],
    ['redis://h:65536', /no port/],
    ['redis://h:6379a', /no port/],
    ['redis://h/abc', /"abc" is no database/],
    ['redis://h/-1', /no database/],
    ['redis://h/1.5', /no database/],
    ['redis://h/01', /no database/],
    ['redis://h/1e1', /no database/],
    ['redis://h/0/', /"0\/" is no database/],
    ['redis://h/0/x', /no database/],
    ['redis://h//1', /no database/],
    ['redis://h/%31', /no database/],
    ['redis://h/99999999999', /no database/],
    ['redis://h?prefx=a', /no setting "prefx", only "prefix"/],
    ['redis://h?db=5', /no setting "db"/],
    ['redis://h?Prefix=a', /no setting "Prefix"/],
    ['redis://h?prefix=a&prefix=b', /"prefix" is there more than once/],
    ['redis://h?prefix=a&', /no setting ""/],
    ['redis://h?prefix=', /prefix is empty/],
    ['redis://h?prefix', /prefix is empty/],
    ['redis://h?prefix=%20', /prefix is empty/],
    ['redis://h?prefix={a}', /no braces/],
    ['redis://h?prefix=%7Ba', /no braces/],
    ['redis://h?prefix=%0a', /control characters/],
    ['redis://h?prefix=%zz', /"%" in it is not followed/],
    ['redis://h#x', /nothing may follow "#"/],
    ['redis://h/0#', /nothing may follow "#"/],
    ['redis://@h', /user, ":" and a password/],
    ['redis://me@h', /user, ":" and a password/],
    ['redis://me:@h', /user, ":" and a password/],
    ['redis://:pass/word@h', /cannot be told from the rest: write other characters/],
    ['redis://:100%@h', /cannot be told from the rest/],
    ['s3:/b', /"s3:" is followed by two slashes/],
    ['S3://bucket', /written small: s3:/],
    ['s3://', /names no bucket/],
    ['s3:///x', /names no bucket/],
    ['s3://Bucket', /no name of a bucket/],
    ['s3://ab', /no name of a bucket/],
    ['s3://my_bucket', /no name of a bucket/],
    ['s3://-bucket', /no name of a bucket/],
    ['s3://a..b', /no name of a bucket/],
    ['s3://10.0.0.1/x', /no name of a bucket/],
    ['s3://bucket:9000/x', /no name of a bucket/],
    ['s3://id:key@bucket/x', /keys do not belong/],
    ['s3://bucket/a//b', /part of its prefix is empty/],
    ['s3://bucket//', /part of its prefix is empty/],
    ['s3://bucket/../x', /"\." or "\.\."/],
    ['s3://bucket/x?region=eu', /nothing may follow "\?" or "#"/],
    ['s3://bucket/x#y', /nothing may follow/],
    [`s3://bucket/${'x'.repeat(901)}`, /at most 900 bytes/],
  ])('%j is refused', async (location, reason) => {
    const before = await readdir('.');
    for (const given of [location, ['memory:', location]]) {
      await expect(openStore(given)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(reason),
      });
    }
    expect(await readdir('.')).toEqual(before);
  });

  it('shows no password in a message, however it is written', () => {
    const secret = fc.stringMatching(/^[ -~]{3,20}$/).map((text) => `sesame${text}`);
    const forms = fc.constantFrom(
      (own: string) => `redis://me:${own}@h/99x`,
      (own: string) => `redis://:${own}@h?x=y`,
      (own: string) => `Redis://me:${own}@h`,
      (own: string) => `redis:/me:${own}@h`,
      (own: string) => `s3://id:${own}@bucket`,
      (own: string) => `redis//:${own}@h`,
      (own: string) => `redis://h?password=${encodeURIComponent(own)}`,
    );
    fc.assert(
      fc.property(secret, forms, (own, form) => {
        try {
          parseAddress(form(own));
        } catch (error) {
          expect((error as DkvError).message).not.toContain('sesame');
          return;
        }
        throw new Error('not refused');
      }),
    );
    expect(JSON.stringify(parseAddress('redis://me:sesame@h')).match(/sesame/g)).toHaveLength(1);
  });

  it('is refused before any other tier is opened', async () => {
    const folder = path.join(await temporaryFolder(), 'new');
    await expect(openStore([folder, 'redis://h/abc'])).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(openStore([folder, 's3://bucket'], { tierMaxBytes: [1, 2] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    await expect(openStore([folder], { tierMaxBytes: [1, 2] })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(existsSync(folder)).toBe(false);
  });

  it.each(['somewhere:9000', 'ftp://h', 'http://me:sesame@h', 'http://h?x'])(
    'of S3 goes to no endpoint such as %s',
    async (endpoint) => {
      const opened = openStore('s3://bucket', { s3: { endpoint } });
      await expect(opened).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.not.stringContaining('sesame'),
      });
    },
  );
});

describe('a folder', () => {
  it('with a dot in its name is one', async () => {
    const folder = path.join(await temporaryFolder(), 'ads.v1');
    const store = await openStore(folder);
    const key = await store.put(recordOf(1));
    await store.close();
    expect(await readdir(folder)).toContain('data.mdb');
    const again = await openStore(folder, { mustExist: true });
    expect(await again.has(key)).toBe(true);
    await again.close();
  });

  it('is not a file, lies in none, and is no link to nowhere', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'file');
    await writeFile(file, 'mine');
    await symlink(path.join(folder, 'nowhere'), path.join(folder, 'link'));
    for (const mustExist of [true, false]) {
      for (const [name, reason] of [
        ['file', /is a file/],
        ['file/ads', /is a file|ENOTDIR|there is no store/],
        ['link', /link|there is no store/],
        [`x${'y'.repeat(300)}`, /name is too long/],
      ] as const) {
        await expect(openStore(path.join(folder, name), { mustExist })).rejects.toMatchObject({
          code: expect.stringMatching(/^(?:INPUT_INVALID|FILES_UNUSABLE)$/),
          message: expect.stringMatching(reason),
        });
      }
    }
    expect((await readdir(folder)).sort()).toEqual(['file', 'link']);
  });

  it('with the database of another program is left alone', async () => {
    const { open } = await import('lmdb');
    const folder = path.join(await temporaryFolder(), 'other');
    await mkdir(folder);
    const other = open({ path: folder, noSubdir: false, maxDbs: 12 });
    await other.openDB({ name: 'settings' }).put('colour', 'green');
    await other.close();
    await expect(openStore(folder)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/another program/),
    });
    const again = open({ path: folder, noSubdir: false, maxDbs: 12 });
    expect([...again.getKeys()]).toEqual(['settings']);
    await again.close();
  });

  it('with a file that is no database says so', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'data.mdb'), 'x'.repeat(10_000));
    await expect(openStore(folder)).rejects.toMatchObject({
      code: 'STORE_DAMAGED',
      message: expect.stringMatching(/data\.mdb/),
    });
  });
});

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  let server: RunningRedis;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis(undefined, ['--databases', '4']);
    client = new Redis(server.port);
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });

  it('has only so many databases, and nothing is written into another one', async () => {
    const at = (database: string) => `redis://127.0.0.1:${server.port}/${database}`;
    const last = await openStore(at('3'));
    await last.put(recordOf(1));
    await last.close();
    for (const database of ['4', '99']) {
      await expect(openStore(at(database))).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(new RegExp(`no database ${database}.*out of range`)),
      });
    }
    expect(await client.dbsize()).toBe(0);
    await client.select(3);
    expect(await client.dbsize()).toBeGreaterThan(0);
  });

  it('is not written to in another database when it is started again with fewer', async () => {
    const first = await startRedis();
    const store = await openStore(`redis://127.0.0.1:${first.port}/9`, { timeoutMs: 1000 });
    await store.put(recordOf(1));
    await first.stop();
    const second = await startRedis(first.port, ['--databases', '2']);
    const looking = new Redis(second.port);
    const codes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      await store.put(recordOf(round)).catch((error: DkvError) => codes.add(error.code));
    }
    expect(codes).toContain('INPUT_INVALID');
    expect(await looking.dbsize()).toBe(0);
    looking.disconnect();
    await store.close();
    await second.stop();
  });
});
