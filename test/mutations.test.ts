/** The mutations that tools/reference/mutate.ts tries apply to the code as it is: a change that moves a line has to move its mutation. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { MUTATIONS } from '../tools/reference/mutations.js';

it.each(MUTATIONS)('$name', ({ file, from, to }) => {
  expect(readFileSync(file, 'utf8').split(from)).toHaveLength(2);
  expect(to).not.toBe(from);
});
