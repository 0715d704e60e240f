/** Every store against the same suite. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { parseAddress, type RedisAddress, type StoreAddress } from '../../src/store/backends/address.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { LmdbBackend } from '../../src/store/backends/lmdb.js';
import { RedisBackend } from '../../src/store/backends/redis.js';
import { TieredBackend } from '../../src/store/backends/tiered.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { activate } from '../../src/store/generations/aliases.js';
import { FolderFiles } from '../../src/store/generations/folder-files.js';
import { packStore } from '../../src/store/generations/pack.js';
import { publish } from '../../src/store/generations/publish.js';
import { Takedowns } from '../../src/store/generations/takedowns.js';
import { openStore } from '../../src/store/open.js';
import { describeReading, type ReadingUnderTest } from '../conformance/reading.js';
import { describeStore, type StoreUnderTest } from '../conformance/store.js';
import { type Change, lmdbDamager, packedDamager, redisDamager, s3Damager } from '../support/damage.js';
import { REDIS_SERVER, type RunningRedis, startRedis } from '../support/redis.js';
import { type RunningS3, startS3 } from '../support/s3.js';
import { freshAddress, s3StoreSuite } from '../support/s3-suites.js';

/** Every kind of address has its suite below. */
const SUITES = {
  memory: 'memory',
  folder: 'lmdb',
  redis: 'redis',
  s3: 's3',
  packed: 'packed',
} as const satisfies Record<StoreAddress['kind'], string>;

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-store-'));
  folders.push(folder);
  return folder;
}

async function damageInProcess(backend: InProcessBackend, key: string, change: Change) {
  let bytes = new Uint8Array();
  await backend
    .read([key], (stored) => {
      bytes = new Uint8Array(stored);
      throw new Error('only looked at');
    })
    .catch(() => undefined);
  await backend.write([{ key, bytes: change(bytes), expiresAt: undefined }]);
}

describeStore(SUITES.memory, {
  backend: async () => new InProcessBackend(Number.POSITIVE_INFINITY),
  open: async (maxBytes = Number.POSITIVE_INFINITY): Promise<StoreUnderTest> => {
    const backend = new InProcessBackend(maxBytes);
    return {
      store: new DirectedStore(backend, ''),
      damage: (key, change) => damageInProcess(backend, key, change),
    };
  },
});

describeStore(SUITES.folder, {
  backend: async () => LmdbBackend.open(await freshFolder(), Number.POSITIVE_INFINITY, false),
  open: async (maxBytes): Promise<StoreUnderTest> => {
    const folder = await freshFolder();
    const options = maxBytes === undefined ? {} : { maxBytes };
    return {
      store: await openStore(folder, options),
      reopen: () => openStore(folder, options),
      damage: lmdbDamager(folder).record,
    };
  },
});

describeReading(SUITES.packed, {
  open: async (fill): Promise<ReadingUnderTest> => {
    const folder = await freshFolder();
    const source = await openStore('memory:');
    await fill(source);
    const files = new FolderFiles(folder);
    const packed = await packStore(source, files, { shardBytes: 20_000 });
    await publish(files, packed.generation.id);
    await activate(files, new Takedowns(files), 'live', packed.generation.id);
    await Promise.all([source.close(), files.close()]);
    const again = () => openStore(`packed:${folder}`);
    return { store: await again(), reopen: again, damage: packedDamager(folder, packed.generation) };
  },
});

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  let server: RunningRedis;
  let stores = 0;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  describeStore(SUITES.redis, {
    backend: () => {
      const address = parseAddress(`redis://127.0.0.1:${server.port}?prefix=test${stores++}`) as RedisAddress;
      return RedisBackend.open(address, Number.POSITIVE_INFINITY, 10_000);
    },
    open: async (maxBytes): Promise<StoreUnderTest> => {
      const prefix = `test${stores++}`;
      const location = `redis://127.0.0.1:${server.port}?prefix=${prefix}`;
      const options = maxBytes === undefined ? {} : { maxBytes };
      return {
        store: await openStore(location, options),
        reopen: () => openStore(location, options),
        damage: redisDamager(server.port, prefix).record,
      };
    },
  });
});
if (!existsSync(REDIS_SERVER)) it.skip(`Redis: ${REDIS_SERVER} is not installed`);

describe('an S3 server', () => {
  let server: RunningS3;
  const place = () => ({ options: server.options, bucket: 'bucket' });
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());

  const suite = s3StoreSuite(place);
  describeStore(SUITES.s3, suite);

  describeStore('tiers of lmdb and s3', {
    withoutCap: 'the last tier is the truth, and it is S3 here',
    backend: async () => {
      const upper = await LmdbBackend.open(await freshFolder(), Number.POSITIVE_INFINITY, false);
      return new TieredBackend([upper, await suite.backend()], 'error');
    },
    open: async (): Promise<StoreUnderTest> => {
      const { bucket, prefix, shown } = freshAddress(place());
      const folder = await freshFolder();
      const again = () => openStore([folder, shown], { s3: server.options });
      return {
        store: await again(),
        reopen: again,
        damage: async (key, change) => {
          await s3Damager(server, `${bucket}/${prefix}`).record(key, change);
          await lmdbDamager(folder).record(key, change);
        },
      };
    },
  });
});
