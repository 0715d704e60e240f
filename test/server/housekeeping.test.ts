/** gc and collect as processes beside a server: what is done, what is told, and that they end with it. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { choresOf, Housekeeping } from '../../src/server/housekeeping.js';
import { Metrics } from '../../src/server/metrics.js';
import { openStore } from '../../src/store/open.js';
import { temporaryFolder } from '../support/fixtures.js';

function keeping(chores: ConstructorParameters<typeof Housekeeping>[0]) {
  const lines: string[] = [];
  const { log } = fastify({ logger: { level: 'info', stream: { write: (line: string) => void lines.push(line) } } });
  const metrics = new Metrics();
  const value = async (text: string) =>
    Number(
      (await metrics.text())
        .split('\n')
        .find((line) => line.startsWith(text))
        ?.split(' ')
        .at(-1) ?? 0,
    );
  return { housekeeping: new Housekeeping(chores, { metrics, log }), lines, value };
}

describe('chores', () => {
  it('are those that the settings name, for what a process can see', () => {
    const housekeeping = { gcHours: 1, collectHours: 24, aliasSeconds: 2 };
    const of = (store: string | string[]) =>
      choresOf({ store, housekeeping }).map(({ args, everyMs }) => [everyMs / 3_600_000, ...args]);
    expect(of('ads')).toEqual([[1, 'store', 'gc', 'ads', '--json']]);
    expect(of(['memory:', 'ads', 'packed:s3://bucket/ads?alias=live'])).toEqual([
      [1, 'store', 'gc', 'ads', '--json'],
      [24, 'store', 'collect', 's3://bucket/ads', '--json'],
    ]);
    expect(choresOf({ store: ['ads', 'packed:b'], housekeeping: { aliasSeconds: 2 } })).toEqual([]);
  });
});

describe('housekeeping', () => {
  it('is done in a process, one after the other, and told', async () => {
    const folder = path.join(await temporaryFolder(), 'ads');
    await (await openStore(folder)).close();
    const args = ['store', 'gc', folder, '--json'];
    const { housekeeping, lines, value } = keeping([
      { work: 'gc', everyMs: 300, args },
      { work: 'collect', everyMs: 300, args: ['store', 'collect', 'redis://:s3cret@127.0.0.1:1/none', '--json'] },
    ]);
    const count = (work: string, outcome: string) =>
      value(`dkv_housekeeping_total{work="${work}",outcome="${outcome}"}`);
    while ((await count('gc', 'done')) === 0 || (await count('collect', 'failed')) === 0) await sleep(50);
    // Both are due more often than they can be done.
    expect((await count('gc', 'skipped')) + (await count('collect', 'skipped'))).toBeGreaterThan(0);
    expect(await value('dkv_housekeeping_last_done_seconds{work="gc"}')).toBeGreaterThan(1.7e9);
    expect(await value('dkv_housekeeping_last_done_seconds{work="collect"}')).toBe(0);
    await housekeeping.close();
    const told = lines.map((line) => JSON.parse(line));
    expect(told).toContainEqual(
      expect.objectContaining({
        work: 'gc',
        msg: 'housekeeping',
        result: { records: 0, size_bytes: 0, documents: 0 },
      }),
    );
    expect(told).toContainEqual(
      expect.objectContaining({
        work: 'collect',
        status: 2,
        msg: expect.stringMatching(/^housekeeping failed: error/),
      }),
    );
    expect(lines.join('')).not.toContain('s3cret');
    const after = lines.length;
    await sleep(400);
    expect(lines).toHaveLength(after);
  });

  it('ends what is at work when the server does', async () => {
    const { housekeeping, lines } = keeping([
      { work: 'gc', everyMs: 10, args: ['data', 'adworld', '--count', '100000000', '--output', '/dev/null'] },
    ]);
    await sleep(1000);
    await housekeeping.close();
    expect(lines.filter((line) => line.includes('failed'))).toEqual([]);
  });
});
