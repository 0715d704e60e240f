import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDataset, openPools } from '../../src/datasets/open.js';
import { hubSettings } from '../../src/hub/settings.js';
import type { SampleRequest } from '../../src/samples/dataset.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { msMarcoFile, words } from './parquet.js';

const FIXTURES = path.join(import.meta.dirname, '../fixtures/datasets');
const ID = 'microsoft/ms_marco';
const FILE = 'v1.1/validation-00000-of-00001.parquet';

let hub: HubStandIn;
let home: string;

beforeEach(async () => {
  hub = await HubStandIn.start();
  home = await temporaryFolder();
});
afterEach(() => hub.stop());

const options = () => ({ hub: hubSettings({ HF_HOME: home, HF_ENDPOINT: hub.url }, home) });
const samples = (request: SampleRequest, name = 'ms-marco') => openDataset(name, request, options());
const pools = (count: number, seed = 42) => openPools('ms-marco', { count, seed }, options());

interface Expected {
  readonly seed: number;
  readonly ids: readonly string[];
}

describe("the research's rules, against their own Python", async () => {
  const expected = JSON.parse(await readFile(path.join(FIXTURES, 'ms-marco.json'), 'utf8')) as {
    readonly count: number;
    readonly standard: Expected;
    readonly length: Expected & { readonly padding: number; readonly paddingIds: readonly string[] };
    readonly factoid: Expected;
    readonly pools: Expected;
  };
  const { count } = expected;
  const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id);

  beforeEach(async () => {
    hub.publishData(ID, { [FILE]: await readFile(path.join(FIXTURES, 'ms-marco.parquet')) });
  });

  it('standard: the same samples in the same order', async () => {
    const { seed, ids: wanted } = expected.standard;
    const dataset = await samples({ count, seed });
    expect(ids(dataset.samples)).toEqual(wanted);
    expect(dataset.padding).toEqual([]);
    expect(dataset).toMatchObject({ name: 'ms-marco', revision: expect.stringMatching(/^[0-9a-f]{40}$/) });
    expect(dataset.licence).toContain('non-commercial');
    expect(dataset.selection).toContain('the first 60 at most, shuffled, 20 taken');
  });

  it('length: also the padding, from the same stream', async () => {
    const { seed, ids: wanted, padding, paddingIds } = expected.length;
    const dataset = await samples({ count, seed, rule: 'length', padding });
    expect(ids(dataset.samples)).toEqual(wanted);
    expect(new Set(wanted.map((id) => id.split('-')[0])).size).toBeLessThan(wanted.length);
    expect(dataset.padding).toHaveLength(paddingIds.length);
    // Padding has no ids: a text's place among all passages tells which one it is.
    const all = await allPassages();
    expect(dataset.padding.map((text) => all.get(text))).toEqual(paddingIds);
  });

  it('factoid: answers of five words at most, no stop at three times as many', async () => {
    const { seed, ids: wanted } = expected.factoid;
    const dataset = await samples({ count, seed, rule: 'factoid' });
    expect(ids(dataset.samples)).toEqual(wanted);
    expect(dataset.samples.every(({ answer }) => answer.trim().split(' ').length <= 5)).toBe(true);
  });

  it('pools: one relevant passage in each', async () => {
    const { seed, ids: wanted } = expected.pools;
    const { pools: found } = await pools(count, seed);
    expect(ids(found)).toEqual(wanted);
    for (const { id, answer, candidates } of found) {
      expect(answer).toBeDefined();
      expect(candidates.filter(({ grade }) => grade === 1)).toHaveLength(1);
      expect(candidates.length).toBeGreaterThanOrEqual(3);
      expect(candidates.map((candidate) => candidate.id)).toEqual(candidates.map((_, i) => `${id}-${i}`));
    }
  });

  async function allPassages(): Promise<Map<string, string>> {
    const { parquetReadObjects } = await import('hyparquet');
    const { compressors } = await import('hyparquet-compressors');
    const bytes = await readFile(path.join(FIXTURES, 'ms-marco.parquet'));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const rows = await parquetReadObjects({ file, compressors });
    return new Map(
      rows.flatMap(({ query_id, passages }) =>
        passages.passage_text.map((text: string, i: number) => [text, `${query_id}-${i}`]),
      ),
    );
  }
});

describe('rows of MS MARCO', () => {
  const row = (query_id: number, over: object = {}) => ({
    query_id,
    query: `question ${query_id}`,
    query_type: 'description',
    answers: [`answer ${query_id}`],
    wellFormedAnswers: [],
    passages: {
      is_selected: [0, 1, 1],
      passage_text: [words(40, `${query_id}a`), words(40, `${query_id}b`), words(40, `${query_id}c`)],
      url: ['', '', ''],
    },
    ...over,
  });
  const publish = (rows: object[], file = FILE, rowGroupSize?: number) =>
    hub.publishData(ID, { [file]: msMarcoFile(rows as Record<string, unknown>[], rowGroupSize) });

  it.each<[string, object, string | undefined]>([
    ['a well-formed answer first', { wellFormedAnswers: ['Well formed.', 'More.'] }, 'Well formed.'],
    ['the answer for an empty list', { wellFormedAnswers: [] }, 'answer 1'],
    ['the answer for the text [] in the list', { wellFormedAnswers: ['[]'] }, 'answer 1'],
    ['the answer for an empty text', { wellFormedAnswers: [''] }, 'answer 1'],
    ['the answer for no list at all', { wellFormedAnswers: null }, 'answer 1'],
    ['a well-formed answer though there is no other', { answers: [], wellFormedAnswers: ['Well.'] }, 'Well.'],
    ['none for "No Answer Present."', { answers: ['No Answer Present.'] }, undefined],
    // Rejected when it is to be scored: the research's pool has its query.
    ['an empty one as it is', { answers: [''] }, ''],
    ['none for no answers', { answers: [] }, undefined],
  ])('take %s', async (_, over, answer) => {
    publish([row(1, over), row(2)]);
    const dataset = await samples({ count: 2, seed: 42 });
    expect(dataset.samples.find(({ cluster }) => cluster === '1')?.answer).toBe(answer);
    expect(dataset.samples).toHaveLength(answer === undefined ? 1 : 2);
  });

  it('give the first selected passage of fitting length', async () => {
    const texts = [words(29, 1), words(30, 2), words(300, 3)];
    publish([
      row(1, { passages: { is_selected: [1, 1, 1], passage_text: texts, url: texts } }),
      row(2, { passages: { is_selected: [1], passage_text: [words(301, 4)], url: ['u'] } }),
    ]);
    const { samples: found } = await samples({ count: 5, seed: 42 });
    expect(found).toEqual([{ id: '1-1', document: texts[1], query: 'question 1', answer: 'answer 1', cluster: '1' }]);
    const all = await samples({ count: 5, seed: 42, rule: 'length' });
    expect(all.samples.map(({ id }) => id).sort()).toEqual(['1-1', '1-2']);
  });

  it('may have "[]" as a text where a list is expected', async () => {
    // A plain text column, as some conversions have it.
    const columnData = [
      { name: 'query_id', data: [1] },
      { name: 'query', data: ['q'] },
      { name: 'answers', data: [['a']] },
      { name: 'wellFormedAnswers', data: ['[]'] },
      { name: 'passages', data: [{ is_selected: [1], passage_text: [words(30, 1)], url: ['u'] }] },
    ];
    hub.publishData(ID, { [FILE]: new Uint8Array(parquetWriteBuffer({ columnData })) });
    expect((await samples({ count: 1, seed: 42 })).samples[0]!.answer).toBe('a');
  });

  it('are read from v2.1 when asked for', async () => {
    publish([row(7)], 'v2.1/validation-00000-of-00001.parquet');
    const { name, samples: found } = await samples({ count: 1, seed: 42 }, 'ms-marco@v2.1');
    expect([name, found[0]!.cluster]).toEqual(['ms-marco@v2.1', '7']);
    await expect(samples({ count: 1, seed: 42 })).rejects.toMatchObject({
      code: 'HUB_NOT_FOUND',
      message: expect.stringContaining('no Parquet files of v1.1, validation; it has v2.1/validation'),
    });
    await expect(samples({ count: 1, seed: 42 }, 'ms-marco@v3')).rejects.toThrow('There is no dataset "ms-marco@v3"');
  });

  it('of another form are refused with row and field', async () => {
    publish([row(1), row(2, { passages: { is_selected: [1], passage_text: null, url: [] } })]);
    await expect(samples({ count: 2, seed: 42 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(/microsoft\/ms_marco, row 2, passages\.passage_text: /),
    });
  });

  it('are not read further than the rule goes', async () => {
    const file = msMarcoFile(
      Array.from({ length: 1200 }, (_, i) => row(i)),
      150,
    );
    expect(file.length).toBeGreaterThan(400_000);
    hub.publishData(ID, { [FILE]: file });
    await samples({ count: 10, seed: 42 });
    const parts = hub.requests.filter(({ host }) => host === 'content');
    // The end of the file, and the first of its eight row groups.
    const bytes = parts.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
    expect(bytes).toBeLessThan(65_536 + file.length / 6);
  });
});
