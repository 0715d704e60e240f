import { describe, expect, it } from 'vitest';
import { threadsOf } from '../../src/engine/runtime.js';
import { dkv } from '../support/dkv.js';
import { referenceFixture } from '../support/fixtures.js';

describe('DKV_THREADS', () => {
  it('is a whole number above 0, or nothing', () => {
    expect(threadsOf({ DKV_THREADS: '3' })).toBe(3);
    for (const given of [undefined, '']) expect(threadsOf({ DKV_THREADS: given })).toBeUndefined();
    for (const given of ['0', '-1', '2.5', 'all', '1e3', ' 1', '99999']) {
      expect(() => threadsOf({ DKV_THREADS: given })).toThrow(`DKV_THREADS is ${JSON.stringify(given)}`);
    }
  });

  it('that is none ends a command with what was found', async () => {
    const input = '{"document":"A lamp.","target":"lamp"}\n';
    const { exitCode, stderr } = await dkv(['score', '--model', referenceFixture('text')], {
      input,
      env: { DKV_THREADS: 'many' },
    });
    expect(stderr).toContain('DKV_THREADS is "many"; expected a whole number above 0.');
    expect(exitCode).toBe(2);
  });
});
