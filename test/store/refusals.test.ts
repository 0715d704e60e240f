/** Stores that may only be read, have no place for another reader, are gone, or want a password: each says so by name. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import path from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { temporaryFolder } from '../support/fixtures.js';
import { recordOf } from '../support/records.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { startS3 } from '../support/s3.js';

const CHILD = path.resolve(import.meta.dirname, '../support/store-child.ts');
const ARGUMENTS = ['--import', 'tsx', CHILD];
const READ_ONLY = {
  isReadOnly: true,
  texts: [recordOf(1).text],
  records: 1,
  documents: 1,
  damaged: 0,
  codes: Array(6).fill('STORE_READONLY'),
};

async function opened(location: string, options = {}): Promise<Store> {
  const store = await openStore(location, options);
  onTestFinished(() => store.close());
  return store;
}

async function madeStore(): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'ads');
  const store = await openStore(folder);
  await store.putDocument('ad', { bare: recordOf(1) });
  await store.close();
  return folder;
}

/** A user who owns nothing here; undefined where there is none to be. */
function asNobody(): string[] | undefined {
  if (process.getuid?.() !== 0) return [];
  const command = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  const { status } = spawnSync(command[0]!, [...command.slice(1), 'test', '-r', CHILD]);
  return status === 0 ? command : undefined;
}

describe('a folder that may only be read', () => {
  it.each([
    ['with the file of its locks', true],
    ['without it', false],
  ])('because of its rights, %s', async (_, withLocks) => {
    const folder = await madeStore();
    if (!withLocks) await rm(path.join(folder, 'lock.mdb'));
    await chmod(path.dirname(folder), 0o755);
    for (const name of await readdir(folder)) await chmod(path.join(folder, name), 0o444);
    await chmod(folder, 0o555);
    onTestFinished(() => chmod(folder, 0o755));
    const nobody = asNobody();
    if (!nobody) return;
    const command = [...nobody, process.execPath, ...ARGUMENTS, 'look', folder];
    const { stdout, stderr } = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(READ_ONLY);
    expect((await readdir(folder)).includes('lock.mdb')).toBe(withLocks);
  });

  it('because its disk is mounted so', async (context) => {
    const folder = await madeStore();
    const mounted = path.join(await temporaryFolder(), 'mounted');
    const script = `mkdir -p "$1" && mount --bind "$0" "$1" && mount -o remount,bind,ro "$1" || exit 99; shift; exec "$@"`;
    const child = [process.execPath, ...ARGUMENTS, 'look', mounted];
    const { status, stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', script, folder, mounted, ...child], {
      encoding: 'utf8',
    });
    if (status === null || status === 99 || /unshare/.test(stderr)) context.skip('nothing can be mounted here');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(READ_ONLY);
  });
});

describe('a folder', () => {
  it('that as many processes read as it has places for says so', async () => {
    const folder = path.join(await temporaryFolder(), 'ads');
    await mkdir(folder);
    // Whoever opens it first decides how many there are.
    const first = open({ path: folder, noSubdir: false, maxReaders: 1, maxDbs: 12 });
    onTestFinished(() => first.close());
    [...first.getKeys()];
    const second = spawn(process.execPath, [...ARGUMENTS, 'look', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    second.stderr.on('data', (text) => {
      stderr += text;
    });
    const [exitCode] = await once(second, 'close');
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/STORE_BUSY/);
    expect(stderr).toMatch(/as many processes read it as it has places for/);
  });

  it('has places for more than 127 readers', async () => {
    const folder = await madeStore();
    const before = (await readFile(path.join(folder, 'lock.mdb'))).length;
    // Each reader has 64 bytes of the file of locks.
    expect(before).toBeGreaterThanOrEqual(1024 * 64);
  });

  it.each(['deleted', 'replaced'])('that was %s while it was open acknowledges nothing more', async (how) => {
    const folder = await madeStore();
    const store = await opened(folder);
    if (how === 'replaced') {
      await cp(folder, `${folder}.new`, { recursive: true });
      await rename(folder, `${folder}.old`);
      await rename(`${folder}.new`, folder);
    } else await rm(folder, { recursive: true });
    const gone = { code: 'STORE_UNREACHABLE', message: expect.stringMatching(/deleted or replaced while it was open/) };
    await expect(store.putDocument('ad', { bare: recordOf(2) })).rejects.toMatchObject(gone);
    await expect(store.putNote('primed', {})).rejects.toMatchObject(gone);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await expect(store.getDocument('ad', 'bare')).rejects.toMatchObject(gone);
  });

  it('whose file was cut off ends no process: what is left is read, and what is not is damage', async () => {
    const folder = path.join(await temporaryFolder(), 'ads');
    const store = await openStore(folder);
    for (let seed = 0; seed < 20; seed++) {
      await store.putDocument(`ad ${seed}`, { bare: recordOf(seed, { rows: 40, width: 160 }) });
    }
    await store.close();
    const file = path.join(folder, 'data.mdb');
    const { length } = await readFile(file);
    const outcomes = new Set<string>();
    for (const share of [0.02, 0.6, 0.99]) {
      const copy = path.join(await temporaryFolder(), 'copy');
      await cp(folder, copy, { recursive: true });
      await truncate(path.join(copy, 'data.mdb'), Math.floor(share * length));
      const child = spawnSync(process.execPath, [...ARGUMENTS, 'look', copy], { encoding: 'utf8' });
      expect({ share, signal: child.signal }).toEqual({ share, signal: null });
      if (child.status === 0) outcomes.add(JSON.parse(child.stdout).damaged > 0 ? 'damage' : 'sound');
      else {
        expect(child.stderr).toMatch(/STORE_DAMAGED/);
        outcomes.add('refused');
      }
    }
    expect(outcomes).toContain('refused');
  });
});

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  it('that copies another server is read, and refuses changes by name', async () => {
    const main = await startRedis();
    onTestFinished(() => main.stop());
    const store = await opened(`redis://127.0.0.1:${main.port}`);
    await store.putDocument('ad', { bare: recordOf(1) });
    const replica = await startRedis(undefined, ['--replicaof', '127.0.0.1', String(main.port)]);
    onTestFinished(() => replica.stop());
    const copy = await opened(`redis://127.0.0.1:${replica.port}`);
    expect(copy.isReadOnly).toBe(true);
    for (const end = Date.now() + 20_000; !(await copy.entry('ad')) && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await copy.getDocument('ad', 'bare'))?.record.text).toBe(recordOf(1).text);
    for (const change of [
      () => copy.put(recordOf(2)),
      () => copy.deleteDocument('ad'),
      () => copy.pin(copy.keyOf(recordOf(1))),
    ]) {
      await expect(change()).rejects.toMatchObject({
        code: 'STORE_READONLY',
        message: expect.stringMatching(/READONLY.*write to the server that it copies/),
      });
    }
  });

  it('wants its password, and the right one, and no other than it has', async () => {
    const server = await startRedis(undefined, ['--requirepass', 'sesame']);
    onTestFinished(() => server.stop());
    const at = (login: string) => `redis://${login}127.0.0.1:${server.port}`;
    for (const [login, reason] of [
      ['', /NOAUTH/],
      [':swordfish@', /WRONGPASS/],
      ['me:sesame@', /WRONGPASS/],
    ] as const) {
      const failed = openStore(at(login), { timeoutMs: 3000 });
      await expect(failed).rejects.toMatchObject({ code: 'STORE_DENIED', message: expect.stringMatching(reason) });
      await expect(failed).rejects.toMatchObject({ message: expect.not.stringMatching(/sesame|swordfish/) });
    }
    const store = await opened(at(':sesame@'));
    expect(store.location).not.toContain('sesame');
    await store.put(recordOf(1));
    const plain = await startRedis();
    onTestFinished(() => plain.stop());
    await expect(openStore(`redis://:sesame@127.0.0.1:${plain.port}`)).rejects.toMatchObject({ code: 'STORE_DENIED' });
  });

  it('that takes a right away says which', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const admin = new Redis(server.port);
    const rights = ['on', '>sesame', '~*', '&*', '+@read', '+@connection', '+info'];
    await admin.acl('SETUSER', 'reader', ...rights);
    admin.disconnect();
    const store = await opened(`redis://reader:sesame@127.0.0.1:${server.port}`);
    await expect(store.put(recordOf(1))).rejects.toMatchObject({
      code: 'STORE_DENIED',
      message: expect.stringMatching(/NOPERM/),
    });
  });
});

it('S3 that refuses the key says so', async () => {
  const server = await startS3();
  onTestFinished(() => server.stop());
  const store = await opened('s3://bucket/x', { s3: server.options });
  server.mood = { status: 403 };
  await expect(store.put(recordOf(1))).rejects.toMatchObject({
    code: 'STORE_DENIED',
    message: expect.stringMatching(/AWS_ACCESS_KEY_ID/),
  });
});
