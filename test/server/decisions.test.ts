/** The decision log on a real disk: what is in its files, who may read them, when they go, and what becomes of lines that find no room. */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readDecisionLogs } from '../../src/server/decision-reader.js';
import { DecisionLog, decisionSettingsSchema } from '../../src/server/decisions.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeDecision, madeShadow } from '../support/made-decisions.js';
import { runOnSmallDisk } from '../support/small-disk.js';

const NOON = Date.parse('2026-11-28T12:00:00Z');
const DAY = 86_400_000;

async function opened(folder: string, settings: Record<string, unknown> = {}, now = () => NOON) {
  const notices: string[] = [];
  const log = await DecisionLog.open(decisionSettingsSchema.parse({ folder, ...settings }), {
    experiment: null,
    onNotice: (text) => notices.push(text),
    now,
    restMs: 10,
  });
  return { log, notices };
}

const logsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith('.jsonl')).sort();

async function decisionsIn(place: string) {
  const found: string[] = [];
  let torn = 0;
  for await (const { line } of readDecisionLogs([place])) {
    if (line === undefined) torn++;
    else if (line.kind !== 'log') found.push(`${line.kind} ${line.decision}`);
  }
  return { found, torn };
}

describe('a decision log', () => {
  it('has whole lines behind a head, in a file for its owner alone, and nothing before the first line', async () => {
    const folder = path.join(await temporaryFolder(), 'log');
    const { log, notices } = await opened(folder);
    expect(await logsIn(folder)).toEqual([]);
    expect(log.write(madeDecision())).toBe(true);
    expect(log.write(madeShadow('one', [2, 1]))).toBe(true);
    await log.close();
    const [name = '', ...others] = await logsIn(folder);
    expect(others).toEqual([]);
    expect(name).toMatch(/^decisions-2026-11-28-[0-9a-f]{8}-0\.jsonl$/);
    for (const file of [name, 'salt']) expect((await stat(path.join(folder, file))).mode & 0o777).toBe(0o600);
    const lines = (await readFile(path.join(folder, name), 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['log', 'decision', 'shadow']);
    expect(JSON.parse(lines[1]!)).toMatchObject({
      decision: 'one',
      left_out: 0,
      candidates: [{ id: 'a', nll: 1 }, {}, {}],
    });
    expect(await decisionsIn(folder)).toEqual({ found: ['decision one', 'shadow one'], torn: 0 });
    expect(notices).toEqual([]);
    expect(log.counts).toEqual({ written: 2, dropped: 0, failures: 0 });
    // What comes behind the end is counted, not lost in silence.
    expect(log.write(madeDecision())).toBe(false);
    expect(log.counts.dropped).toBe(1);
  });

  it('goes on in another file after a size and on another UTC day, and removes those of days long past', async () => {
    const folder = await temporaryFolder();
    const old = ['decisions-2026-11-20-00000000-0.jsonl', 'decisions-2026-11-21-00000000-0.jsonl.gz'];
    const kept = ['decisions-2026-11-22-00000000-0.jsonl', 'decisions-2026-01-01-notes.jsonl', 'other.jsonl'];
    for (const name of [...old, ...kept]) await writeFile(path.join(folder, name), '');
    let now = NOON;
    const { log } = await opened(folder, { retention_days: 6, file_bytes: 1500 }, () => now);
    for (const name of old) expect(await readdir(folder)).not.toContain(name);
    expect(await readdir(folder)).toEqual(expect.arrayContaining(kept));
    const written = async (decision: string) => {
      const { written } = log.counts;
      log.write(madeDecision({ decision }));
      await vi.waitFor(() => expect(log.counts.written).toBe(written + 1));
    };
    for (const decision of ['a', 'b', 'c']) await written(decision);
    now += DAY / 2 - 1;
    await written('d');
    now += 1;
    await written('e');
    await log.close();
    const made = (await logsIn(folder)).filter((name) => !kept.includes(name));
    expect(made.map((name) => name.replace(/-[0-9a-f]{8}-/, ' '))).toEqual([
      'decisions-2026-11-28 0.jsonl',
      'decisions-2026-11-28 1.jsonl',
      'decisions-2026-11-29 2.jsonl',
    ]);
    // The day that began has moved the limit on.
    expect(await readdir(folder)).not.toContain(kept[0]);
    const found = await Promise.all(made.map((name) => decisionsIn(path.join(folder, name))));
    expect(found.flatMap((one) => one.found)).toEqual(['a', 'b', 'c', 'd', 'e'].map((id) => `decision ${id}`));
  });

  it('shares a folder with another server: one salt, and no file of both', async () => {
    const folder = await temporaryFolder();
    const [one, other] = await Promise.all([opened(folder), opened(folder)]);
    for (let n = 0; n < 200; n++)
      for (const [name, { log }] of Object.entries({ one, other }))
        log.write(madeDecision({ decision: `${name}-${n}` }));
    await Promise.all([one.log.close(), other.log.close()]);
    const files = await logsIn(folder);
    expect(files).toHaveLength(2);
    for (const file of files) {
      const { found } = await decisionsIn(path.join(folder, file));
      expect(found).toHaveLength(200);
      expect(new Set(found.map((line) => line.split('-')[0])).size).toBe(1);
    }
    expect(one.log.digest('query', '', 'lamp')).toBe(other.log.digest('query', '', 'lamp'));
  });

  it('has digests that tell nothing from tenant to tenant, kind to kind or salt to salt', async () => {
    const folders = [await temporaryFolder(), await temporaryFolder()];
    const [a, b] = await Promise.all(folders.map((folder) => opened(folder)));
    const digests = [
      a!.log.digest('query', 'shop', 'lamp'),
      a!.log.digest('query', 'shops', 'lamp'),
      a!.log.digest('document', 'shop', 'lamp'),
      b!.log.digest('query', 'shop', 'lamp'),
    ];
    expect(new Set(digests).size).toBe(4);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{32}$/);
    await a!.log.close();
    const again = await opened(folders[0]!);
    expect(again.log.digest('query', 'shop', 'lamp')).toBe(digests[0]);
  });

  it('refuses a salt that is none, by name', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'salt'), 'pepper\n');
    await expect(opened(folder)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/salt: no salt.*64/),
    });
  });

  it('drops what the buffer has no room for, and counts it', async () => {
    const folder = await temporaryFolder();
    const { log } = await opened(folder, { buffer_bytes: 2000 });
    const taken = Array.from({ length: 10 }, (_, n) => log.write(madeDecision({ decision: `d${n}` })));
    const count = taken.filter(Boolean).length;
    expect(taken).toEqual(taken.map((_, at) => at < count));
    expect(count).toBeGreaterThan(0);
    await log.close();
    expect(log.counts).toEqual({ written: count, dropped: 10 - count, failures: 0 });
    expect((await decisionsIn(folder)).found).toHaveLength(count);
  });

  it('goes on without a folder, says so once, and writes what waited when it is there again', async () => {
    const folder = path.join(await temporaryFolder(), 'log');
    const { log, notices } = await opened(folder);
    await rename(folder, `${folder}-away`);
    log.write(madeDecision({ decision: 'a' }));
    await vi.waitFor(() => expect(log.counts.failures).toBeGreaterThan(2));
    expect(notices).toEqual([
      expect.stringMatching(/cannot be written, answers go on without it.*no such file or folder/),
    ]);
    await mkdir(folder);
    await vi.waitFor(() => expect(log.counts.written).toBe(1));
    expect(notices[1]).toMatch(/written again/);
    await log.close();
    expect(log.counts).toMatchObject({ written: 1, dropped: 0 });
    expect((await decisionsIn(folder)).found).toEqual(['decision a']);
  });

  it('is not stopped by its end, where the disk takes nothing', async () => {
    const folder = path.join(await temporaryFolder(), 'log');
    const { log, notices } = await opened(folder);
    await rm(folder, { recursive: true });
    log.write(madeDecision());
    await log.close();
    expect(log.counts).toMatchObject({ written: 0, dropped: 1 });
    expect(notices.at(-1)).toMatch(/1 line of the decision log could not be written/);
  });

  it('leaves no part of a line on a full disk, and goes on when there is room', async (context) => {
    const mounted = path.join(await temporaryFolder(), 'full');
    const child = path.resolve(import.meta.dirname, '../support/decisions-child.ts');
    const ended = runOnSmallDisk(mounted, ['--import', 'tsx', child, mounted]);
    if (!ended) return context.skip('no file system can be mounted here');
    expect(ended.stderr).toBe('');
    const { notices, whileFull, counts, read, torn } = JSON.parse(ended.stdout);
    expect(whileFull.failures).toBeGreaterThan(2);
    expect(notices).toHaveLength(2);
    expect(notices[0]).toMatch(/DISK_FULL|no room is left on the disk/);
    expect(counts.dropped).toBeGreaterThan(100);
    expect(counts.written + counts.dropped).toBe(2002);
    expect(torn).toBe(0);
    // The first and the last, and of those between the ones that waited first.
    expect(read).toEqual(['before', ...Array.from({ length: counts.written - 2 }, (_, n) => `full-${n}`), 'after']);
  });
});

describe('a log that a crash cut off', () => {
  it('is read to its last whole line, wherever it was cut', async () => {
    const folder = await temporaryFolder();
    const { log } = await opened(folder);
    for (const decision of ['a', 'b']) log.write(madeDecision({ decision }));
    await log.close();
    const file = path.join(folder, (await logsIn(folder))[0]!);
    const bytes = await readFile(file);
    const start = bytes.lastIndexOf('\n', bytes.length - 2) + 1;
    const cut = path.join(folder, 'cut');
    for (let end = start; end <= bytes.length; end += end + 7 < bytes.length - 3 ? 7 : 1) {
      await writeFile(cut, bytes.subarray(0, end));
      const whole = end >= bytes.length - 1;
      const expected = {
        found: whole ? ['decision a', 'decision b'] : ['decision a'],
        torn: whole || end === start ? 0 : 1,
      };
      expect(await decisionsIn(cut), `${end}`).toEqual(expected);
    }
    // What stands behind a torn line was not written by a log.
    await writeFile(cut, Buffer.concat([bytes.subarray(0, -20), Buffer.from('\n'), bytes.subarray(start)]));
    await expect(decisionsIn(cut)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/cut, line 3:/),
    });
  });

  it.each([
    ['{"kind": "click"}', /line 1: kind: expected "log", "decision" or "shadow", found "click"/],
    ['{"a": 1}\n', /found nothing/],
    ['[1]\n{}', /expected "log"/],
    ['7\n{}', /line 1: an object was expected/],
    [
      `${JSON.stringify({ kind: 'log', version: 2, server: 'a', started_at: '2026-11-28T00:00:00Z', experiment: null })}`,
      /version: expected 1, found 2/,
    ],
  ])('is no excuse for another file: %s', async (text, message) => {
    const file = path.join(await temporaryFolder(), 'log.jsonl');
    await writeFile(file, text);
    await expect(decisionsIn(file)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('is not looked for in a folder without one', async () => {
    await expect(decisionsIn(await temporaryFolder())).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/no file of a decision log in it/),
    });
  });
});
