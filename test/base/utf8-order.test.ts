import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareUtf8 } from '../../src/base/utf8-order.js';

it('is the order of the bytes, also where that of UTF-16 is another', () => {
  expect(Math.sign(compareUtf8('\u{1f600}', '\uff5e'))).toBe(1);
  expect('\u{1f600}' < '\uff5e').toBe(true);
  // Few characters, so that texts share beginnings.
  const unit = fc.constantFrom('a', 'b', 'é', '\ue000', '\uffff', '\u{10000}', '\u{1f600}', '\u{10ffff}');
  const text = fc.string({ unit, maxLength: 6 });
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});
