/** Arms by the hash of a unit, settings that make no experiment, and work behind answers. */
import { describe, expect, it } from 'vitest';
import { tryParse } from '../../src/base/parse.js';
import {
  armOf,
  experimentSettingsSchema,
  isShadowed,
  ShadowQueue,
  shadowSettingsSchema,
} from '../../src/server/experiment.js';
import { sampleRatio } from '../../src/stats/arms.js';

const settings = (own: Record<string, unknown> = {}) =>
  experimentSettingsSchema.parse({
    name: 'priming',
    arms: [
      { name: 'bare', share: 0.5, variant: 'bare' },
      { name: 'keywords', share: 0.3, variant: 'doc_kw' },
      { name: 'mixed', share: 0.2, variant: 'doc_kw', interpolate: 0.4 },
    ],
    ...own,
  });

const whole = settings();
const units = Array.from({ length: 20_000 }, (_, n) => `visitor-${n}`);

describe('an experiment', () => {
  it('keeps a unit in its arm, over restarts and servers', () => {
    const arms = units.slice(0, 12).map((unit) => armOf(whole, 'shop', unit).name);
    expect(units.slice(0, 12).map((unit) => armOf(whole, 'shop', unit).name)).toEqual(arms);
    // Written down: another way to hash would move every unit of a running experiment.
    expect(arms.map((name) => name[0]).join('')).toBe('kbbbbkkbkkkb');
  });

  it('deals units by the shares, anew for another salt and for another tenant', () => {
    const counts = new Map<string, number>();
    for (const unit of units) {
      const { name } = armOf(whole, '', unit);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    expect(
      sampleRatio(
        ['bare', 'keywords', 'mixed'].map((name) => counts.get(name)!),
        [0.5, 0.3, 0.2],
      ).p,
    ).toBeGreaterThan(0.001);
    for (const [other, tenant] of [
      [settings({ salt: 'second' }), ''],
      [settings({ name: 'other' }), ''],
      [settings(), 'shop'],
    ] as const) {
      const same = units.filter((unit) => armOf(other, tenant, unit).name === armOf(whole, '', unit).name).length;
      // Of independent deals .5² + .3² + .2² are the same.
      expect(Math.abs(same / units.length - 0.38)).toBeLessThan(0.02);
    }
    expect(armOf(settings({ name: 'other', salt: 'priming' }), '', 'a')).toEqual(armOf(whole, '', 'a'));
  });

  it('moves few units when an arm grows at the cost of the next', () => {
    const arms = (first: number) => [
      { name: 'a', share: first },
      { name: 'b', share: 1 - first },
    ];
    const [before, after] = [settings({ arms: arms(0.1) }), settings({ arms: arms(0.2) })];
    const moved = units.filter((unit) => armOf(before, '', unit).name !== armOf(after, '', unit).name).length;
    expect(Math.abs(moved / units.length - 0.1)).toBeLessThan(0.01);
  });

  it.each([
    [
      {
        arms: [
          { name: 'a', share: 0.5 },
          { name: 'b', share: 0.4 },
        ],
      },
      /arms: the shares of the arms do not add up to 1/,
    ],
    [
      {
        arms: [
          { name: 'a', share: 0.5 },
          { name: 'a', share: 0.5 },
        ],
      },
      /arms: two arms have one name/,
    ],
    [{ arms: [{ name: 'a', share: 1 }] }, /arms: expected at least 2 entries/],
    [
      {
        arms: [
          { name: 'a', share: 0.5, objective: 'relevance' },
          { name: 'b', share: 0.5 },
        ],
      },
      /arms\.0\.objective/,
    ],
    [
      {
        arms: [
          { name: 'a b', share: 0.5 },
          { name: 'b', share: 0.5 },
        ],
      },
      /arms\.0\.name: expected up to 64 letters/,
    ],
  ])('is refused where it is none: %j', (own, problem) => {
    const parsed = tryParse(experimentSettingsSchema, { name: 'priming', ...own });
    expect(parsed.success ? '' : parsed.problem).toMatch(problem);
  });

  it('takes three thirds for a whole', () => {
    const arms = ['a', 'b', 'c'].map((name) => ({ name, share: 0.333_333_3 }));
    expect(armOf(settings({ arms }), '', 'x').name).toMatch(/^[abc]$/);
  });
});

describe('a shadow', () => {
  it('stands beside its share of decisions', () => {
    const some = shadowSettingsSchema.parse({ variant: 'bare', share: 0.25 });
    const count = units.filter((decision) => isShadowed(some, decision)).length;
    expect(Math.abs(count / units.length - 0.25)).toBeLessThan(0.01);
    expect(isShadowed(shadowSettingsSchema.parse({ variant: 'bare' }), 'any')).toBe(true);
  });

  it('works after the answer, one ranking at a time, and drops what finds too many waiting', async () => {
    const queue = new ShadowQueue(2);
    const done: number[] = [];
    let running = 0;
    const work = (n: number) => async () => {
      expect(running++).toBe(0);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
      done.push(n);
    };
    expect([1, 2, 3].map((n) => queue.offer(work(n)))).toEqual([true, true, false]);
    expect(done).toEqual([]);
    await queue.idle();
    expect(done).toEqual([1, 2]);
    expect(queue.offer(work(4))).toBe(true);
    await queue.idle();
    expect(done).toEqual([1, 2, 4]);
  });

  it('is aborted at the end, and one that fails stops no other', async () => {
    const queue = new ShadowQueue(4);
    const seen: string[] = [];
    queue.offer(() => Promise.reject(new Error('broken')));
    const started = new Promise<void>((resolve) => {
      queue.offer(async (signal) => {
        resolve();
        await new Promise<void>((stop) => signal.addEventListener('abort', () => stop()));
        seen.push('aborted');
      });
    });
    queue.offer(async () => void seen.push('never'));
    await started;
    await queue.close();
    expect(seen).toEqual(['aborted']);
    expect(queue.offer(async () => undefined)).toBe(false);
  });
});
