import { existsSync } from 'node:fs';
import { readFile, utimes, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { withLock } from '../../src/base/lock.js';
import { temporaryFolder } from '../support/fixtures.js';

describe('a lock', () => {
  it('lets one in at a time, and everybody in the end', async () => {
    const file = path.join(await temporaryFolder(), 'locks/one');
    let inside = 0;
    let most = 0;
    const waits: string[] = [];
    const results = await Promise.all(
      [1, 2, 3, 4].map((i) =>
        withLock(
          file,
          async () => {
            inside++;
            most = Math.max(most, inside);
            await setTimeout(30);
            inside--;
            return i;
          },
          { onWait: (holder) => waits.push(holder) },
        ),
      ),
    );
    expect(results).toEqual([1, 2, 3, 4]);
    expect(most).toBe(1);
    expect(waits).toHaveLength(3);
    expect(waits[0]).toBe(`process ${process.pid} on ${os.hostname()}`);
    expect(existsSync(file)).toBe(false);
  });

  it('is given back when the work fails', async () => {
    const file = path.join(await temporaryFolder(), 'one');
    await expect(withLock(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await withLock(file, async () => 'free')).toBe('free');
  });

  it('is taken over from a process that is dead', async () => {
    const file = path.join(await temporaryFolder(), 'one');
    await writeFile(file, `process 999999999 on ${os.hostname()}`);
    expect(await withLock(file, async () => readFile(file, 'utf8'))).toContain(`process ${process.pid}`);
  });

  it('is taken over from another machine that has not been heard of for long', async () => {
    const file = path.join(await temporaryFolder(), 'one');
    await writeFile(file, 'process 1 on another-machine');
    const old = new Date(Date.now() - 60_000);
    await utimes(file, old, old);
    expect(await withLock(file, async () => 'taken')).toBe('taken');
  });

  it('is waited for while its holder lives, until told to stop', async () => {
    const file = path.join(await temporaryFolder(), 'one');
    await writeFile(file, 'process 1 on another-machine');
    const controller = new AbortController();
    const onWait = () => controller.abort();
    await expect(withLock(file, async () => 'never', { signal: controller.signal, onWait })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await readFile(file, 'utf8')).toBe('process 1 on another-machine');
  });
});
