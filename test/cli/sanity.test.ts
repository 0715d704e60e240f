import { expect, it } from 'vitest';
import { dkv } from '../support/dkv.js';
import { referenceFixture } from '../support/fixtures.js';

interface Check {
  readonly name: string;
  readonly state: 'pass' | 'fail' | 'finding';
}

async function sanity(...args: string[]): Promise<{ exitCode: number | null; checks: Check[] }> {
  const { exitCode, stdout } = await dkv(['sanity', '--json', ...args]);
  return { exitCode, checks: JSON.parse(stdout).checks };
}

it('the built-in model passes every check that has a right answer', async () => {
  const { exitCode, checks } = await sanity('--n', '32');
  expect(checks.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(exitCode).toBe(0);
  expect(checks.filter(({ state }) => state === 'pass').map(({ name }) => name)).toEqual([
    'A/A',
    'oracle, full',
    'sibling, full',
    'answer not given away',
    'no document',
    'wrong document',
    'shuffled answers',
    'random weights',
    'held out',
    'surrogates',
  ]);
});

it('a model with random weights fails', async () => {
  const { exitCode, checks } = await sanity('--n', '8', '--model', referenceFixture('text'));
  expect(exitCode).toBe(1);
  expect(checks.find(({ name }) => name === 'oracle, full')?.state).toBe('fail');
  expect(checks.find(({ name }) => name === 'A/A')?.state).toBe('pass');
});
