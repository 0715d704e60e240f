/** The mutations that tools/reference/mutate.ts tries apply to the code as it is: a change that moves a line has to move its mutation. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MUTATIONS } from '../tools/reference/mutations/all.js';

it.each(MUTATIONS)('$name', ({ file, from, to, tests = file }) => {
  expect(readFileSync(file, 'utf8').split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
  expect(existsSync(tests)).toBe(true);
});

it('have names of their own', () => {
  expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
});
