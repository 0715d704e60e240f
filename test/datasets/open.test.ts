/** Which datasets there are by name, and that the guide describes each of them. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { DATASETS, openDataset } from '../../src/datasets/open.js';

it('names those that there are, and the one that was meant', async () => {
  const wrong = openDataset('wand', { count: 1, seed: 1 });
  await expect(wrong).rejects.toThrow('There is no dataset "wand". Did you mean "wands"? Expected adworld, ms-marco, ');
  await expect(openDataset('constructor', { count: 1, seed: 1 })).rejects.toThrow('There is no dataset "constructor".');
  await expect(openDataset('nothing:folder', { count: 1, seed: 1 })).rejects.toThrow('There is no dataset');
});

it('describes every name in the guide', () => {
  const guide = readFileSync(new URL('../../docs/datasets.md', import.meta.url), 'utf8');
  const described = [...guide.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!.replace(/:PATH$/, ':FOLDER'));
  const named = DATASETS.replace(/, a file .*/, '').split(', ');
  expect(named).toContain('hetpqa:FOLDER');
  expect(described).toEqual(expect.arrayContaining(named));
});
