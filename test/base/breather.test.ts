import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Breather } from '../../src/base/breather.js';

describe('Breather', () => {
  it('lets timers and signals have their turn in a loop that never waits', async () => {
    const controller = new AbortController();
    void setTimeout(60).then(() => controller.abort());
    const turns = new Breather(controller.signal, 'Enough.');
    const forever = async () => {
      for (;;) await turns.breathe();
    };
    await expect(forever()).rejects.toMatchObject({ code: 'CANCELLED', message: 'Enough.' });
  });

  it('goes on with one of several in each turn of the loop', async () => {
    const begun: number[] = [];
    const turns = new Breather(undefined, undefined, 0);
    let turn = 0;
    let working = true;
    const count = () => {
      turn++;
      if (working) setImmediate(count);
    };
    setImmediate(count);
    const work = async () => {
      for (let piece = 0; piece < 5; piece++) {
        await turns.rest();
        begun.push(turn);
      }
    };
    await Promise.all([work(), work(), work()]);
    working = false;
    expect(new Set(begun).size).toBe(15);
  });

  it('gives what is made, in order', async () => {
    expect(await new Breather(undefined).map([3, 1, 2], (item) => item * 2)).toEqual([6, 2, 4]);
  });
});
