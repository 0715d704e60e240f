/** The names of records: what they depend on, and their digests, which must never change. */
import { describe, expect, it } from 'vitest';
import { slotOf } from '../../src/store/records/entry.js';
import { identityOf } from '../../src/store/records/identity.js';
import { keyOf, layoutDigestOf } from '../../src/store/records/key.js';
import type { RecordIdentity } from '../../src/store/store.js';
import { recordOf } from '../support/records.js';

const range = (start: number, end: number) => ({ start, end });

const BEHIND_A_PREFIX: RecordIdentity = {
  fingerprint: 'a'.repeat(64),
  modelPrecision: 'float32',
  precision: 'float32',
  tokenIds: Int32Array.of(2, 17, 108, 9, 250_000),
  spans: { bos: range(0, 1), prefix: range(1, 2), separator: range(2, 3), document: range(3, 5) },
  visibility: 'exact',
  visible: [range(3, 5)],
};
const POSITIONS = Int32Array.of(0, 1, 2, 0, 1);
const PAIR_MASK = Uint8Array.from({ length: 25 }, (_, at) => at % 2);

/** Every store names its records so: an example whose key changes here is found in no store any more. */
describe('the key of an example', () => {
  it.each<[string, Partial<RecordIdentity>, string]>([
    ['behind a prefix', {}, '4e6fbd10ee22f04de4cda9104fdec86a37475b659edcda50d66e55fc68dc1503'],
    [
      'alone',
      { spans: { bos: range(0, 1), document: range(1, 5) }, visible: [range(1, 5)] },
      '87a36ce15971a71ba9759fbf3c89d3444bd45ab8da191881e6945bd9d004cfe9',
    ],
    [
      'of which listed segments are shown',
      { visibility: ['bos', 'document'], visible: [range(0, 1), range(3, 5)] },
      'd5cf92226b45c1b99ddd1b3c75767ec83ebc62130a00319cb25d726be10cf397',
    ],
    [
      'tokenised as one text, as int8',
      { precision: 'int8', modelPrecision: 'int8', spans: {}, visibility: 'published', visible: [range(2, 5)] },
      '8b8db5d912b997c67014a867280f121b26879738924f651bc1728cf87bedbf0f',
    ],
    [
      'with positions and a mask of its own',
      { layoutDigest: layoutDigestOf({ positions: POSITIONS, pairMask: PAIR_MASK })! },
      '49e68103864d95ab9c9ecb3a625ddbe7c404d917e86e04b7e17443b3f1326dd6',
    ],
    [
      'with a segment that version 1 did not know',
      {
        spans: { ...BEHIND_A_PREFIX.spans, eos: range(5, 6) },
        tokenIds: Int32Array.of(2, 17, 108, 9, 250_000, 1),
      },
      '59e865875a60e32c12eddb49c92eac7c0b0636da9b56853fd172149b8fdf958e',
    ],
  ])('%s', (_, change, key) => {
    expect(keyOf({ ...BEHIND_A_PREFIX, ...change }, '')).toBe(key);
  });

  it('of a tenant', () => {
    expect(keyOf(BEHIND_A_PREFIX, 'tenant "ä"')).toBe(
      'ccd0ec355a8bf65166b55ce3e20a36e6b8f38ce8a9ba2614e418966ae121d95c',
    );
  });

  it('in whatever order its segments are named', () => {
    const reversed = Object.fromEntries(Object.entries(BEHIND_A_PREFIX.spans).reverse());
    expect(keyOf({ ...BEHIND_A_PREFIX, spans: reversed }, '')).toBe(keyOf(BEHIND_A_PREFIX, ''));
    const further = (...names: string[]) =>
      keyOf({ ...BEHIND_A_PREFIX, spans: Object.fromEntries(names.map((name) => [name, range(0, 1)])) }, '');
    expect(further('eos', 'task')).toBe(further('task', 'eos'));
    expect(further('eos')).not.toBe(further('task'));
  });
});

describe('the digest of a layout', () => {
  it.each([
    [{}, undefined],
    [{ positions: POSITIONS }, 'b0f23bf57795cb13424b538413f5f2a0a7190b83eb60a3bbda18c4f71c55e13d'],
    [{ pairMask: PAIR_MASK }, 'bad43aae253b55fa03d955980fd2f961b90148cfa7f1e4180e1724334bf4da21'],
    [{ positions: POSITIONS, pairMask: PAIR_MASK }, '915c95456812721a5a66d4e236bf4e947458aa232e8dd6694246da4059fb9bdf'],
  ])('%#', (layout, digest) => {
    expect(layoutDigestOf(layout)).toBe(digest);
  });
});

describe('the slot of a document', () => {
  it.each([
    ['ad 1', '', '8c33ee07089cb4611e52ff86988aa455caad745f96a931dfe3b730a5f6e6b0d3fcea618b213bee23'],
    ['ad 1', 'one', '26594a20f415a9ac1e52ff86988aa455caad745f96a931dfe3b730a5f6e6b0d3fcea618b213bee23'],
    ['\ud800 👟', '', '8c33ee07089cb4611271264c5923ea6f788ef04dcdb60245a914d63138f3b234e9fade8a808a0f9d'],
    ['primed', 'notes:', '935028cc28273c3c011df112c1b095c52ada42a26a96b785d3087451af17a8d72b49f88e95593270'],
  ])('%j of tenant %j', (id, salt, slot) => {
    expect(slotOf(id, salt)).toBe(slot);
  });
});

describe('a key', () => {
  it('changes with everything that decides the states', () => {
    const record = recordOf(1);
    const others = [
      { ...record, fingerprint: 'b'.repeat(64) },
      { ...record, modelPrecision: 'int8' },
      { ...record, precision: 'int8' as const },
      { ...record, tokenIds: record.tokenIds.with(0, 5000) },
      { ...record, spans: { ...record.spans, eos: { start: 4, end: 5 } } },
      { ...record, spans: {} },
      { ...record, visibility: 'published' as const },
      { ...record, visible: [{ start: 1, end: 4 }] },
      { ...record, layoutDigest: 'c'.repeat(64) },
    ];
    const keys = [keyOf(record, 'salt'), keyOf(record, ''), ...others.map((other) => keyOf(other, ''))];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('does not change with what is only kept along', () => {
    const { text: _, ...record } = recordOf(1);
    expect(keyOf({ ...record, metadata: {}, surrogate: 'other' } as typeof record, '')).toBe(keyOf(recordOf(1), ''));
  });

  it('knows positions and masks', () => {
    const { tokenIds, spans, visible } = recordOf(1);
    const input = {
      tokenisation: 'segments',
      tokenIds,
      spans,
      publishedCount: 0,
      prefixTokens: 1,
      documentTokens: 3,
      cutTokens: 0,
    } as const;
    const model = { fingerprint: 'f', modelPrecision: 'float32' };
    const layouts = [
      {},
      { positions: tokenIds },
      { pairMask: new Uint8Array(25) },
      { pairMask: new Uint8Array(25).fill(1) },
    ];
    const keys = layouts.map((layout) =>
      keyOf(identityOf({ input, item: { tokenIds, ...layout }, visible, key: '' }, 'exact', model, 'float16'), ''),
    );
    expect(new Set(keys).size).toBe(4);
  });
});
