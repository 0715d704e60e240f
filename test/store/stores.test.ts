/** Every store against the same suite. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import type { StoreAddress } from '../../src/store/backends/address.js';
import { InProcessBackend } from '../../src/store/backends/in-process.js';
import { DirectedStore } from '../../src/store/directed-store.js';
import { openStore } from '../../src/store/open.js';
import { describeStore, type StoreUnderTest } from '../conformance/store.js';
import { type Change, lmdbDamager, redisDamager, s3Damager } from '../support/damage.js';
import { REDIS_SERVER, type RunningRedis, startRedis } from '../support/redis.js';
import { type RunningS3, startS3 } from '../support/s3.js';

/** Every kind of address has its suite below. */
const SUITES = {
  memory: 'memory',
  folder: 'lmdb',
  redis: 'redis',
  s3: 's3',
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
    .read(key, (stored) => {
      bytes = new Uint8Array(stored);
      throw new Error('only looked at');
    })
    .catch(() => undefined);
  await backend.write([{ key, bytes: change(bytes), expiresAt: undefined }]);
}

describeStore(SUITES.memory, {
  open: async (maxBytes = Number.POSITIVE_INFINITY): Promise<StoreUnderTest> => {
    const backend = new InProcessBackend(maxBytes);
    return {
      store: new DirectedStore(backend, ''),
      damage: (key, change) => damageInProcess(backend, key, change),
    };
  },
});

describeStore(SUITES.folder, {
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

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  let server: RunningRedis;
  let stores = 0;
  beforeAll(async () => {
    server = await startRedis();
  });
  afterAll(() => server.stop());
  describeStore(SUITES.redis, {
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
  let stores = 0;
  beforeAll(async () => {
    server = await startS3();
  });
  afterAll(() => server.stop());
  const withoutCap = 'S3 keeps no order of use';

  describeStore(SUITES.s3, {
    withoutCap,
    open: async (): Promise<StoreUnderTest> => {
      const prefix = `test${stores++}`;
      const again = () => openStore(`s3://bucket/${prefix}`, { s3: server.options });
      return { store: await again(), reopen: again, damage: s3Damager(server, `bucket/${prefix}`).record };
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
          await s3Damager(server, `bucket/${prefix}`).record(key, change);
          await lmdbDamager(folder).record(key, change);
        },
      };
    },
  });
});
