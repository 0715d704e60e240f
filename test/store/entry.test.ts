/** What an id points to, as bytes: read as it was written, or refused. */
import { expect, it } from 'vitest';
import { decodeEntry, encodeEntry, inspectEntry, slotOf } from '../../src/store/records/entry.js';

const ENTRY = {
  id: 'ad 1',
  variants: { bare: 'a'.repeat(64), ['__proto__']: 'b'.repeat(64) },
  metadata: { price: 12.5, tags: ['new', null] },
  expiresAt: 2_000_000_000_000,
};
const SLOT = slotOf('ad 1', 'salt');

it('is read as it was written', () => {
  expect(decodeEntry(encodeEntry(ENTRY), SLOT, 'salt')).toEqual(ENTRY);
  const { expiresAt: _, ...lasting } = ENTRY;
  expect(decodeEntry(encodeEntry(lasting), SLOT, 'salt')).toEqual(lasting);
  expect(() => encodeEntry({ ...ENTRY, variants: { bare: 'no key' } })).toThrow(
    /The document cannot be stored: variants/,
  );
});

it('is of this document and this tenant, and of no other', () => {
  const bytes = encodeEntry(ENTRY);
  for (const slot of [slotOf('ad 2', 'salt'), slotOf('ad 1', 'another')]) {
    expect(() => decodeEntry(bytes, slot, 'salt')).toThrow(/it is the entry of another document/);
  }
});

it('with any byte changed, or cut off, is refused', () => {
  const bytes = encodeEntry(ENTRY);
  for (let at = 0; at < bytes.length; at++) {
    expect(() => inspectEntry(bytes.with(at, bytes[at]! ^ 1), SLOT), `byte ${at}`).toThrow(/checksum/);
  }
  expect(() => inspectEntry(bytes.subarray(0, 40), SLOT)).toThrow(/checksum/);
  expect(() => inspectEntry(new Uint8Array(), SLOT)).toThrow(/checksum/);
});
