/** Numbers of things in messages. */
import { expect, it } from 'vitest';
import { counted } from '../../src/base/counted.js';

it.each([
  [0, 'finding', '0 findings'],
  [1, 'finding', '1 finding'],
  [2, 'query', '2 queries'],
  [1, 'judged query', '1 judged query'],
  [3, 'pass', '3 passes'],
  [2, 'day', '2 days'],
])('%d of "%s": %s', (count, thing, said) => {
  expect(counted(count, thing)).toBe(said);
});

it('keeps a number as it is written', () => {
  expect(counted(12_500, 'document', '12,500')).toBe('12,500 documents');
});
