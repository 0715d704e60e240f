/** Every store against the same suite. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { open } from 'lmdb';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { MemoryBackend } from '../../src/store/backends/memory.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import { describeStore, type StoreUnderTest } from '../conformance/store.js';
import { REDIS_SERVER, type RunningRedis, startRedis } from '../support/redis.js';
import { type RunningS3, startS3 } from '../support/s3.js';

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-store-'));
  folders.push(folder);
  return folder;
}

async function damageLmdb(folder: string, key: string, change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
  const root = open({ path: folder, maxDbs: 12, encoding: 'binary' });
  const records = root.openDB<Buffer, string>({ name: 'records', encoding: 'binary' });
  await records.put(key, Buffer.from(change(new Uint8Array(records.getBinary(key)!))));
  await root.close();
}

async function damageMemory(backend: MemoryBackend, key: string, change: (bytes: Uint8Array) => Uint8Array) {
  let bytes = new Uint8Array();
  await backend
    .read(key, (stored) => {
      bytes = new Uint8Array(stored);
      throw new Error('only looked at');
    })
    .catch(() => undefined);
  await backend.write([{ key, bytes: change(bytes), expiresAt: undefined }]);
}

describeStore('memory', {
  open: async (maxBytes = Number.POSITIVE_INFINITY): Promise<StoreUnderTest> => {
    const backend = new MemoryBackend(maxBytes);
    return {
      store: new DirectedStore(backend, ''),
      damage: (key, change) => damageMemory(backend, key, change),
    };
  },
});

describeStore('lmdb', {
  open: async (maxBytes): Promise<StoreUnderTest> => {
    const folder = await freshFolder();
    const options = maxBytes === undefined ? {} : { maxBytes };
    return {
      store: await openStore(folder, options),
      reopen: () => openStore(folder, options),
      damage: (key, change) => damageLmdb(folder, key, change),
    };
  },
});

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  let server: RunningRedis;
  let client: Redis;
  let stores = 0;
  beforeAll(async () => {
    server = await startRedis();
    client = new Redis(server.port);
  });
  afterAll(async () => {
    client.disconnect();
    await server.stop();
  });
  describeStore('redis', {
    open: async (maxBytes): Promise<StoreUnderTest> => {
      const prefix = `test${stores++}`;
      const location = `redis://127.0.0.1:${server.port}?prefix=${prefix}`;
      const options = maxBytes === undefined ? {} : { maxBytes };
      return {
        store: await openStore(location, options),
        reopen: () => openStore(location, options),
        damage: async (key, change) => {
          const name = `{${prefix}}:r:${key}`;
          await client.set(name, Buffer.from(change(new Uint8Array((await client.getBuffer(name))!))));
        },
      };
    },
  });
});
if (!existsSync(REDIS_SERVER)) it.skip(`Redis: ${REDIS_SERVER} is not installed`);

describe('an S3 server', () => {
  let server: RunningS3;
  let stores = 0;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());
  const withoutCap = 'S3 keeps no order of use';
  const damageS3 = async (prefix: string, key: string, change: (bytes: Uint8Array) => Uint8Array) => {
    const object = server.objects.get(`bucket/${prefix}/records/${key}`)!;
    object.bytes = Buffer.from(change(new Uint8Array(object.bytes)));
  };

  describeStore('s3', {
    withoutCap,
    open: async (): Promise<StoreUnderTest> => {
      const prefix = `test${stores++}`;
      const again = () => openStore(`s3://bucket/${prefix}`, { s3: server.options });
      return { store: await again(), reopen: again, damage: (key, change) => damageS3(prefix, key, change) };
    },
  });

  describeStore('tiers of lmdb and s3', {
    withoutCap: 'the last tier is the truth, and it is S3 here',
    open: async (): Promise<StoreUnderTest> => {
      const prefix = `test${stores++}`;
      const folder = await freshFolder();
      const again = () => openStore([folder, `s3://bucket/${prefix}`], { s3: server.options });
      return {
        store: await again(),
        reopen: again,
        damage: async (key, change) => {
          await damageS3(prefix, key, change);
          await damageLmdb(folder, key, change);
        },
      };
    },
  });
});
