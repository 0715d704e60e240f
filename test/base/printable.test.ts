import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable } from '../../src/base/printable.js';

describe('text made printable', () => {
  it.each([
    ['\x1b[2Jgone', '\\u001b[2Jgone'],
    ['a\rb\x07', 'a\\u000db\\u0007'],
    ['\x9b31m', '\\u009b31m'],
    ['nul\0', 'nul\\u0000'],
    ['\u202egnp.exe\u2066', '\\u202egnp.exe\\u2066'],
    ['half \ud83d', 'half \\ud83d'],
    ['\u2028\uffff', '\\u2028\\uffff'],
    ['\u{e0041}', '\\udb40\\udc41'],
    ['line\n\ttab, é, 日本, \u05d0\u200f, 👩‍👩‍👧', 'line\n\ttab, é, 日本, \u05d0\u200f, 👩‍👩‍👧'],
  ])('%j', (text, shown) => expect(printable(text)).toBe(shown));

  it('leaves JSON exact', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(printable(JSON.stringify([text])))).toEqual([text]);
      }),
    );
  });
});
