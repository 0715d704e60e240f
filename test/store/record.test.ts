/** The bytes of a record: error bounds of the precisions, and version 1 as it will always be read. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asBuffer, sha256 } from '../../src/base/bytes.js';
import { fromFloat16 } from '../../src/base/float16.js';
import { memoryOf, visibleStates } from '../../src/store/records/identity.js';
import { keyOf } from '../../src/store/records/key.js';
import {
  asStored,
  expectStorable,
  fromInt8Rows,
  statesToFloat16,
  toInt8Rows,
} from '../../src/store/records/quantise.js';
import {
  decodeRecord,
  encodeRecord,
  encodeRecordInTurns,
  expectIdentity,
  inspectRecord,
  withExpiry,
} from '../../src/store/records/record.js';
import { STATES_PRECISIONS } from '../../src/store/store.js';
import { recordOf } from '../support/records.js';

const float = (max: number) =>
  fc.float({ noNaN: true, noDefaultInfinity: true, min: Math.fround(-max), max: Math.fround(max) });

describe('float16', () => {
  it('rounds by at most 2^-11 of the value, or 2^-25', () => {
    fc.assert(
      fc.property(fc.float32Array({ noNaN: true, min: Math.fround(-65504), max: Math.fround(65504) }), (values) => {
        const back = fromFloat16(statesToFloat16(values));
        return values.every(
          (value, at) => Math.abs(back[at]! - value) <= Math.max(Math.abs(value) * 2 ** -11, 2 ** -25),
        );
      }),
    );
  });

  it('reads every finite pattern back as itself', () => {
    const patterns = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits).filter(
      (bits) => (bits & 0x7c00) !== 0x7c00,
    );
    expect(statesToFloat16(fromFloat16(patterns))).toEqual(patterns);
  });

  it('rounds ties to even', () => {
    const ties = Float32Array.of(1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -25);
    expect([...fromFloat16(statesToFloat16(ties))]).toEqual([1, 1 + 2 ** -9, 0, 2 ** -23]);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -65520, 1e9])('refuses %d', (value) => {
    expect(() => statesToFloat16(Float32Array.of(0, value))).toThrow(/State number 1 is/);
  });
});

describe('int8 with a scale for each row', () => {
  it('is off by at most half a step', () => {
    const rows = fc.integer({ min: 0, max: 5 });
    const width = fc.integer({ min: 1, max: 9 });
    const sizes = fc.constantFrom(1e-42, 1e-30, 1, 3e38);
    fc.assert(
      fc.property(rows, width, sizes, fc.infiniteStream(float(1)), (count, across, size, stream) => {
        const values = Float32Array.from({ length: count * across }, () => stream.next().value * size);
        const packed = toInt8Rows(values, count, across);
        const back = fromInt8Rows(packed, across);
        return values.every((value, at) => {
          const step = packed.scales[Math.floor(at / across)]!;
          return Math.abs(back[at]! - value) <= step * 0.50001;
        });
      }),
    );
  });

  it.each([Number.NaN, Number.NEGATIVE_INFINITY])('refuses %d', (value) => {
    expect(() => toInt8Rows(Float32Array.of(0, value), 1, 2)).toThrow(/State number 1 is/);
  });
});

/** With the checksum of what it has now. */
function sealed(bytes: Buffer): Buffer {
  sha256(bytes.subarray(0, -32)).copy(bytes, bytes.length - 32);
  return bytes;
}

describe('a record of version 1', () => {
  it.each(STATES_PRECISIONS)('is read, and written, byte for byte (%s)', (precision) => {
    const record = recordOf(1, { precision });
    const key = keyOf(record, 'salt');
    // Made by `encodeRecord` when version 1 was new; never to be made again.
    const file = path.resolve(import.meta.dirname, `../fixtures/store/record-v1-${precision}.bin`);
    const bytes = readFileSync(file);
    const decoded = decodeRecord(bytes, key);
    expect(decoded.expiresAt).toBe(2_000_000_000_000);
    const { states, ...rest } = decoded.record;
    const { states: stored, ...expected } = record;
    expect(rest).toEqual(expected);
    const numbers = {
      float32: () => stored.data,
      float16: () => fromFloat16(statesToFloat16(stored.data)),
      int8: () => fromInt8Rows(toInt8Rows(stored.data, stored.rows, stored.width), stored.width),
    };
    expect(states).toEqual({ ...stored, data: numbers[precision]() });
    expect(encodeRecord(key, record, 2_000_000_000_000).equals(bytes)).toBe(true);
  });

  it('is the same written in pieces, and says which number is not finite, wherever it stands', async () => {
    for (const precision of STATES_PRECISIONS) {
      const large = recordOf(1, { rows: 300, width: 700, precision });
      const [key, bytes] = ['0'.repeat(64), encodeRecord('0'.repeat(64), large)];
      expect((await encodeRecordInTurns(key, large)).equals(bytes)).toBe(true);
      const { states } = decodeRecord(bytes, key).record;
      expect(asBuffer(states.data).equals(asBuffer(asStored(large.states, precision).data))).toBe(true);
      const data = large.states.data.with(200_000, Number.NaN);
      const broken = { ...large, states: { ...large.states, data } };
      await expect(encodeRecordInTurns(key, broken)).rejects.toThrow(/^State number 200000 is NaN/);
    }
  });

  it('of a later version is refused with the version', () => {
    const record = recordOf(1);
    const bytes = encodeRecord(keyOf(record, ''), record);
    bytes.writeUInt32LE(2, 8);
    expect(() => decodeRecord(sealed(bytes), keyOf(record, ''))).toThrow(/format version 2/);
  });

  it('with any byte changed, or cut off, is refused', () => {
    const record = recordOf(1, { rows: 1, width: 2 });
    const key = keyOf(record, '');
    const bytes = encodeRecord(key, record);
    for (let at = 0; at < bytes.length; at++) {
      expect(() => inspectRecord(bytes.with(at, bytes[at]! ^ (1 << (at % 8))), key), `byte ${at}`).toThrow(/damaged/);
    }
    for (const length of [0, 23, 55, bytes.length - 1]) {
      expect(() => inspectRecord(bytes.subarray(0, length), key), `${length} bytes`).toThrow(/damaged/);
    }
  });

  it('in the place of another, or with lengths that are not its own, is refused whatever its checksum says', () => {
    const record = recordOf(1);
    const key = keyOf(record, '');
    expect(() => decodeRecord(encodeRecord('0'.repeat(64), record), key)).toThrow(/it is the record of 0{64}/);
    const bytes = encodeRecord(key, record);
    const longer = Buffer.concat([bytes.subarray(0, -32), Buffer.alloc(8), bytes.subarray(-32)]);
    expect(() => decodeRecord(sealed(Buffer.from(longer)), key)).toThrow(/its lengths contradict each other/);
    longer.writeBigUInt64LE(longer.readBigUInt64LE(16) + 8n, 16);
    expect(() => decodeRecord(sealed(longer), key)).toThrow(/its header speaks of \d+ bytes, not \d+/);
  });

  it('keeps all but its time when that is changed', () => {
    const record = recordOf(1, { precision: 'int8' });
    const key = keyOf(record, '');
    const later = withExpiry(encodeRecord(key, record, 1000), key, 2000);
    expect(later.equals(encodeRecord(key, record, 2000))).toBe(true);
    expect(inspectRecord(later, key)).toEqual({ expiresAt: 2000 });
    expect(withExpiry(later, key, undefined).equals(encodeRecord(key, record))).toBe(true);
  });

  it('has the token ids of the identity that it was found by', () => {
    const record = recordOf(1);
    expect(() => expectIdentity('k', record, recordOf(1))).not.toThrow();
    for (const tokenIds of [record.tokenIds.with(2, 5000), record.tokenIds.subarray(1)]) {
      expect(() => expectIdentity('k', record, { ...record, tokenIds })).toThrow(/token ids are not/);
    }
  });

  it.each(STATES_PRECISIONS)('gives the states that asStored foretells (%s)', (precision) => {
    const record = recordOf(3, { rows: 4, width: 6, precision });
    const { states } = decodeRecord(encodeRecord('0'.repeat(64), record), '0'.repeat(64)).record;
    expect(asStored(record.states, precision)).toEqual(states);
    const large = { rows: 1, width: 1, data: Float32Array.of(1e6) };
    if (precision === 'float16') expect(() => expectStorable(large, precision)).toThrow(/float16 holds finite numbers/);
    else expectStorable(large, precision);
  });
});

it('keeps the visible rows only', () => {
  const states = { rows: 4, width: 2, data: Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7) };
  const visible = [
    { start: 1, end: 2 },
    { start: 2, end: 4 },
  ];
  expect(visibleStates(states, visible)).toEqual({ rows: 3, width: 2, data: Float32Array.of(2, 3, 4, 5, 6, 7) });
  const record = recordOf(1);
  expect(memoryOf(record)).toEqual([{ states: record.states, start: 0, end: 3 }]);
});
