/** Priming under what happens to processes, disks, servers and models: nothing acknowledged is lost, nothing wrong is served. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, open } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { BUILT_IN_MODEL, loadModel, type Model } from '../../src/scoring/load-model.js';
import { prime } from '../../src/serving/prime.js';
import type { PrimeOptions } from '../../src/serving/prime-options.js';
import { BARE } from '../../src/serving/variants.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { countingModel, total } from '../support/counting-model.js';
import { temporaryFolder } from '../support/fixtures.js';
import { made, madeText } from '../support/made-documents.js';
import { REDIS_SERVER, startRedis } from '../support/redis.js';
import { startS3 } from '../support/s3.js';
import { runOnSmallDisk } from '../support/small-disk.js';

/** More with `npm run test:faults`. */
const KILLS = Number(process.env.DKV_PRIME_KILLS ?? 3);
const CHILD = path.resolve(import.meta.dirname, '../support/prime-child.ts');
const ARGUMENTS = ['--import', 'tsx', CHILD];
const BARE_ONLY: PrimeOptions = { surrogates: [] };

let model: Model;
beforeAll(async () => {
  model = await loadModel(undefined, { batchTokens: 64 });
});
afterAll(() => model.close());

interface Line {
  readonly started?: true;
  readonly stored?: string;
  readonly progress?: { readonly unchanged: number; readonly encoded: number; readonly primed: number };
  readonly finished?: { readonly unchanged: number; readonly encoded: number; readonly primed: number };
  readonly failed?: string;
}

/** A process that primes the same documents as `made(count)`. */
function startPrimer(folder: string, count: number) {
  const child = spawn(process.execPath, [...ARGUMENTS, 'prime', folder, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: Line[] = [];
  const output = createInterface({ input: child.stdout });
  const started = new Promise<void>((resolve) => {
    output.on('line', (text) => {
      // The last line of a killed process may be half of one.
      try {
        lines.push(JSON.parse(text));
      } catch {
        return;
      }
      resolve();
    });
  });
  const acknowledged = new Promise<void>((resolve) => {
    output.on('line', () => lines.at(-1)?.stored !== undefined && resolve());
  });
  const closed = once(child, 'close');
  return {
    lines,
    started,
    acknowledged,
    closed,
    kill: async () => {
      child.kill('SIGKILL');
      await closed;
    },
    stored: () => lines.flatMap(({ stored }) => stored ?? []),
  };
}

async function expectServed(store: Store, ids: Iterable<string>): Promise<void> {
  for (const id of ids) {
    const found = await store.getDocument(id, BARE, model.fingerprint);
    const text = madeText(Number(id.split(' ')[1]));
    expect(found?.record.text).toBe(text);
    expect([...found!.record.tokenIds]).toEqual([...model.tokenizer.encodeFramed(text)]);
  }
}

describe('a primer', () => {
  it(`killed ${KILLS} times loses nothing that was acknowledged and repeats nothing that was finished`, async () => {
    const folder = await temporaryFolder();
    const random = new Random('prime kills');
    const acknowledged = new Set<string>();
    for (let round = 0; round < KILLS; round++) {
      const before = round === 0 ? 0 : await inStore(folder, async (store) => (await store.stats()).documents);
      const primer = startPrimer(folder, 100_000);
      // Once at least after something was acknowledged, however busy the machine is.
      await (round === 0 ? primer.acknowledged : primer.started);
      await sleep(random.below(1500));
      await primer.kill();
      const last = primer.lines.findLast(({ progress }) => progress)?.progress;
      // What is known of this run: it passed over what was there, and encoded what it then stored.
      if (last) {
        expect(last.unchanged).toBeLessThanOrEqual(before);
        expect(last.encoded).toBe(last.primed);
        if (last.encoded > 0 && before <= 256) expect(last.unchanged).toBe(before);
      }
      const stored = primer.stored();
      for (const id of stored) {
        // Finished in an earlier run: must not be stored again.
        expect(acknowledged.has(id)).toBe(false);
        acknowledged.add(id);
      }
      await inStore(folder, async (store) => {
        await expectServed(store, stored);
        expect((await store.verify()).damaged).toEqual([]);
        const { documents, records } = await store.stats();
        expect(documents).toBeGreaterThanOrEqual(acknowledged.size);
        expect(records).toBe(documents);
      });
    }
    expect(acknowledged.size).toBeGreaterThan(0);
    await inStore(folder, async (store) => {
      const { documents } = await store.stats();
      await expectServed(store, acknowledged);
      const seen = countingModel(model);
      const summary = await prime(seen, store, made(documents + 10), BARE_ONLY);
      expect(summary).toMatchObject({ unchanged: documents, primed: 10, encoded: 10 });
      expect(total(seen.encoded)).toBe(10);
    });
  });

  it('shares a store with another one that primes the same', async () => {
    const folder = await temporaryFolder();
    const primers = [startPrimer(folder, 60), startPrimer(folder, 60)];
    await Promise.all(primers.map(({ closed }) => closed));
    for (const { lines } of primers) {
      const { finished } = lines.findLast(({ finished }) => finished)!;
      expect(finished!.primed + finished!.unchanged).toBe(60);
    }
    await inStore(folder, async (store) => {
      await expectServed(
        store,
        [...made(60)].map(({ id }) => id),
      );
      expect(await store.stats()).toMatchObject({ documents: 60, records: 60 });
    });
  });

  it('says so when the disk is full, and what it primed stays', async (context) => {
    const mounted = path.join(await temporaryFolder(), 'full');
    const ended = runOnSmallDisk(mounted, [...ARGUMENTS, 'fill', mounted]);
    if (!ended) return context.skip('no file system can be mounted here');
    expect(ended.stderr).toBe('');
    const lines = ended.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)) as (Line & { documents?: number })[];
    expect(lines.findLast(({ failed }) => failed)!.failed).toBe('DISK_FULL');
    const stored = lines.filter(({ stored }) => stored).length;
    expect(stored).toBeGreaterThan(5);
    expect(lines.at(-1)).toEqual({ documents: stored, damaged: 0 });
  });

  it('does not take a model for another one whose weights were swapped under its name', async () => {
    const folder = path.join(await temporaryFolder(), 'model');
    await cp(BUILT_IN_MODEL, folder, { recursive: true });
    const store = await openStore('memory:');
    const first = await loadModel(folder);
    try {
      await prime(first, store, made(3), BARE_ONLY);
    } finally {
      await first.close();
    }
    const weights = await open(path.join(folder, 'model.safetensors'), 'r+');
    const { size } = await weights.stat();
    // A byte of a number's exponent would do more; of its mantissa is enough.
    await weights.write(Buffer.from([0x3d, 0x11]), 0, 2, Math.floor(size / 2));
    await weights.close();
    const swapped = await loadModel(folder);
    try {
      expect(swapped.name).toBe(first.name);
      await expect(prime(swapped, store, made(3), BARE_ONLY)).rejects.toMatchObject({ code: 'STORE_MISMATCH' });
      await expect(store.getDocument('ad 0', BARE, swapped.fingerprint)).rejects.toMatchObject({
        code: 'STORE_MISMATCH',
      });
      const anew = await prime(swapped, store, made(2), { ...BARE_ONLY, replace: true });
      expect(anew).toMatchObject({ primed: 2, unchanged: 0, encoded: 2 });
      await expect(store.getDocument('ad 2', BARE, swapped.fingerprint)).rejects.toMatchObject({
        code: 'STORE_MISMATCH',
      });
    } finally {
      await swapped.close();
      await store.close();
    }
  });
});

describe.skipIf(!existsSync(REDIS_SERVER))(`Redis (needs ${REDIS_SERVER}: install the package redis-server)`, () => {
  it('stopped in the middle ends priming in time; started again, priming goes on', async () => {
    const kept = ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', await temporaryFolder()];
    const server = await startRedis(undefined, kept);
    const seen = countingModel(model);
    const store = await openStore(`redis://127.0.0.1:${server.port}`, { timeoutMs: 1000 });
    let primed = 0;
    const stopped = prime(seen, store, made(2000), {
      ...BARE_ONLY,
      onProgress: (progress) => {
        primed = progress.primed;
        if (primed >= 20) void server.stop();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
    expect(primed).toBeLessThan(2000);
    const again = await startRedis(server.port, kept);
    let documents = 0;
    for (;;) {
      try {
        documents = (await store.stats()).documents;
        break;
      } catch {
        await sleep(100);
      }
    }
    expect(documents).toBeGreaterThanOrEqual(primed);
    seen.encoded.length = 0;
    const summary = await prime(seen, store, made(documents + 30), BARE_ONLY);
    expect(summary).toMatchObject({ unchanged: documents, primed: 30 });
    expect(total(seen.encoded)).toBe(30);
    expect((await store.verify()).damaged).toEqual([]);
    await store.close();
    await again.stop();
  });
});

describe('an S3 server', () => {
  it('that is slow, fails in passing and repeats itself is primed into; one that fails for good ends it', async () => {
    const server = await startS3();
    const store = await openStore('s3://bucket/faults', { s3: server.options, timeoutMs: 3000 });
    try {
      const seen = countingModel(model);
      server.mood = { delayMs: 20 };
      let primed = 0;
      const troubled = prime(seen, store, made(60), {
        ...BARE_ONLY,
        onProgress: (progress) => {
          primed = progress.primed;
          // Twice each request that comes next; the third attempt is answered.
          server.mood = primed < 30 ? { status: 503, times: 2 } : { status: 500 };
        },
      });
      await expect(troubled).rejects.toMatchObject({ code: 'STORE_UNREACHABLE' });
      expect(primed).toBeGreaterThanOrEqual(30);
      server.mood = { repeat: true };
      const { documents } = await store.stats();
      expect(documents).toBeGreaterThanOrEqual(primed);
      seen.encoded.length = 0;
      const summary = await prime(seen, store, made(60), BARE_ONLY);
      expect(summary.unchanged).toBe(documents);
      // Records that were put before their document failed need no encoding.
      expect(total(seen.encoded)).toBeLessThanOrEqual(60 - documents);
      await expectServed(
        store,
        [...made(60)].map(({ id }) => id),
      );
      expect((await store.verify()).damaged).toEqual([]);
    } finally {
      await store.close();
      await server.stop();
    }
  });
});

async function inStore<T>(folder: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(folder);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
