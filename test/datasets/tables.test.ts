/** Tables of one's own, BEIR's folders, and what samples of any dataset have in common. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NumpyRandomState } from '../../src/base/numpy-random.js';
import { wordCount } from '../../src/base/words.js';
import { parseColumns } from '../../src/datasets/mapped.js';
import { openDataset, openPools } from '../../src/datasets/open.js';
import type { TextForm } from '../../src/datasets/options.js';
import { hubSettings } from '../../src/hub/settings.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { parquetFile, words } from './parquet.js';

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const place = path.join(await temporaryFolder(), name);
  await mkdir(path.dirname(place), { recursive: true });
  await writeFile(place, content);
  return place;
}

const ALL = { count: 100, seed: 42 };
const sorted = <T extends { readonly id: string }>(list: readonly T[]) =>
  [...list].sort((a, b) => (a.id < b.id ? -1 : 1));

describe("tables of one's own", () => {
  const ROWS = [
    { id: 'a', body: 'The lamp, "bright".', q: 'Which lamp?', a: 'Bright', group: 'g1' },
    { id: 'b', body: '36" bed\nof oak', q: 'Which bed?', a: 'Oak', group: 'g1' },
    { id: 'c', body: 'No answer here', q: 'Why?', a: '', group: 'g2' },
  ];
  const COLUMNS = parseColumns(['document=body', 'query=q', 'answer=a', 'cluster=group']);
  const WANTED = [
    { id: 'a', document: 'The lamp, "bright".', query: 'Which lamp?', answer: 'Bright', cluster: 'g1' },
    { id: 'b', document: '36" bed\nof oak', query: 'Which bed?', answer: 'Oak', cluster: 'g1' },
    { id: 'c', document: 'No answer here', query: 'Why?', answer: '', cluster: 'g2' },
  ];
  const quoted = (separator: string) =>
    [Object.keys(ROWS[0]!), ...ROWS.map((row) => Object.values(row))]
      .map((fields) => fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(separator))
      .join('\r\n');
  const STRINGS = { id: 'STRING', body: 'STRING', q: 'STRING', a: 'STRING', group: 'STRING' } as const;

  it.each<[string, string | Uint8Array, TextForm?]>([
    ['own.jsonl', `\ufeff${ROWS.map((row) => JSON.stringify(row)).join('\n')}\n\n`],
    ['own.csv', `\ufeff${quoted(',')}\r\n`],
    ['own.tsv', quoted('\t'), { quoting: 'csv' }],
    ['own.parquet', parquetFile(ROWS, STRINGS, 2)],
  ])('%s: columns by their names', async (name, content, form = {}) => {
    const dataset = await openDataset(await file(name, content), ALL, { columns: COLUMNS, ...form });
    expect(sorted(dataset.samples)).toEqual(WANTED);
    expect(dataset).toMatchObject({
      name,
      licence: 'of the file',
      revision: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
    });
    expect(dataset.selection).toContain('document=body, query=q, answer=a, id, cluster=group');
  });

  it('leave out a row without an answer, and keep one whose answer is empty', async () => {
    const rows = [{}, { answer: null }, { answer: '' }, { answer: 'A' }];
    const lines = rows.map((row) => JSON.stringify({ document: 'D', query: 'Q', ...row }));
    const { samples } = await openDataset(await file('own.jsonl', lines.join('\n')), ALL);
    expect(sorted(samples).map(({ id, answer }) => [id, answer])).toEqual([
      ['row-2', ''],
      ['row-3', 'A'],
    ]);
  });

  it('need no mapping where columns have the names of roles', async () => {
    const place = await file('own.jsonl', '{"document":"D","query":"Q","answer":"A","title":"T"}');
    const { samples } = await openDataset(place, ALL);
    expect(samples).toEqual([{ id: 'row-0', document: 'D', query: 'Q', answer: 'A', title: 'T' }]);
  });

  it('may have texts inside lists and structures', async () => {
    const place = await file('own.jsonl', '{"document":"D","query":"Q","answers":{"text":["A","B"]},"a.b":"I"}');
    const columns = { answer: 'answers.text.0', id: 'a.b' };
    expect((await openDataset(place, ALL, { columns })).samples[0]).toMatchObject({ id: 'I', answer: 'A' });
    await expect(openDataset(place, ALL, { columns: { answer: 'answers.text' } })).rejects.toThrow(
      'row 1: answers.text is a list, a text was expected for the answer. Say which part: answer=answers.text.0',
    );
    await expect(openDataset(place, ALL, { columns: { answer: 'answers' } })).rejects.toThrow('answer=answers.FIELD');
  });

  it('give the first three times as many rows, shuffled; documents after them are padding', async () => {
    const rows = Array.from({ length: 50 }, (_, i) => ({ document: `d${i}`, query: `q${i}`, answer: 'yes' }));
    const place = await file('own.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const { samples, padding } = await openDataset(place, { count: 5, seed: 42, padding: 7 });
    const random = new NumpyRandomState(42);
    expect(samples.map(({ id }) => id)).toEqual(
      random
        .permutation(15)
        .slice(0, 5)
        .map((i) => `row-${i}`),
    );
    expect(padding).toEqual(random.permutation(7).map((i) => `d${i + 15}`));
  });

  it('give short answers alone when asked for factoids', async () => {
    const rows = [1, 5, 6].map((count) => ({ document: 'D', query: 'Q', answer: words(count, count) }));
    const place = await file('own.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const { samples, selection } = await openDataset(place, { ...ALL, rule: 'factoid' });
    expect(sorted(samples).map(({ id }) => id)).toEqual(['row-0', 'row-1']);
    expect(selection).toContain('of five words at most');
  });

  it('give pools of candidates with grades', async () => {
    const rows = [
      ['p1', 'q', 'x', 3],
      ['p2', 'q', 'x', 1],
      ['p1', 'q', 'y', 0],
      ['p3', 'q', 'z', 0],
    ].map(([pool, query, document, grade], i) => ({ pool, query, document, grade, id: `c${i}`, answer: 'A' }));
    const content = parquetFile(rows, {
      pool: 'STRING',
      query: 'STRING',
      document: 'STRING',
      grade: 'INT64',
      id: 'STRING',
    });
    const { pools } = await openPools(await file('own.parquet', content), ALL);
    expect(pools).toEqual([
      {
        id: 'p1',
        query: 'q',
        candidates: [
          { id: 'c0', document: 'x', grade: 3 },
          { id: 'c2', document: 'y', grade: 0 },
        ],
      },
    ]);
    // Without a column for the pool it is the query that joins them.
    const lines = rows.map(({ pool: _, ...row }) => JSON.stringify(row)).join('\n');
    const joined = await openPools(await file('own.jsonl', lines), ALL);
    expect(joined.pools).toMatchObject([{ id: 'q', answer: 'A', candidates: { length: 4 } }]);
  });

  it('bring along the columns that surrogates are made of, and only these', async () => {
    const rows = [
      {
        id: 'a',
        document: 'D',
        query: 'Q',
        answer: 'A',
        brand: 'Lumen',
        buyer: { needs: ['light', 'a lamp'] },
        grade: 1,
      },
      { id: 'b', document: 'E', query: 'Q', answer: 'B', brand: ' ', buyer: { needs: ['rest'] }, grade: 0 },
      { id: 'c', document: 'F', query: 'Q', answer: 'C', brand: 7.5, buyer: null, grade: 0 },
    ];
    const place = await file('own.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
    const columns = ['brand', 'buyer.needs.0'];
    const dataset = await openDataset(place, { ...ALL, columns });
    expect(sorted(dataset.samples).map((sample) => sample.columns)).toEqual([
      { brand: 'Lumen', 'buyer.needs.0': 'light' },
      { 'buyer.needs.0': 'rest' },
      { brand: '7.5' },
    ]);
    expect(dataset.selection).toContain('(document, query, answer, id, grade, column:brand, column:buyer.needs.0)');
    const { pools } = await openPools(place, { ...ALL, columns });
    expect(pools[0]!.candidates.map((candidate) => candidate.columns)).toEqual(
      ['a', 'b', 'c'].map((id) => dataset.samples.find((sample) => sample.id === id)!.columns),
    );
    // What nobody asks for changes neither the samples nor their digest.
    expect((await openDataset(place, { ...ALL, columns: [] })).digest).toBe((await openDataset(place, ALL)).digest);
    expect(dataset.digest).not.toBe((await openDataset(place, ALL)).digest);
    await expect(openDataset(place, { ...ALL, columns: ['brand', 'need'] })).rejects.toThrow(
      'no column "need" for the surrogate column:need; it has id, document, query, answer, brand, buyer, grade',
    );
    await expect(openDataset(place, { ...ALL, columns: ['buyer.needs'] })).rejects.toThrow(
      'row 1: buyer.needs is a list, a text was expected for the surrogate. Say which part: column:buyer.needs.0',
    );
    await expect(openDataset('adworld', { ...ALL, columns: ['brand'] })).rejects.toThrow(
      'adworld has no column "brand" for the surrogate column:brand, which is of a table of your own',
    );
  });

  it.each<[string, string, RegExp]>([
    ['a.jsonl', '{"document":"D"', /a\.jsonl, line 1: not JSON/],
    ['b.jsonl', '{"document":"D","query":"Q","answer":"A"}\n[1]', /line 2: a JSON object was expected, \[1\] found/],
    [
      'c.jsonl',
      '{"text":"D","query":"Q","answer":"A"}',
      /no column "document" for the document; it has text, query, answer.*document=COLUMN/,
    ],
    ['d.csv', 'document,query,answer\na,b\n', /d\.csv, line 2: 2 fields, where there are 3 columns/],
    [
      'e.csv',
      'document,query,answer\n36" bed,b,c\n',
      /e\.csv, line 2: field 1, .* has a quote inside .*--quoting none/,
    ],
    ['f.parquet', 'no parquet at all, but text', /no Parquet file that can be read/],
    ['g.jsonl', '{"document":"D","query":"Q","answer":"A","id":"i"}\n'.repeat(2), /Two rows have the id "i"/],
  ])('that are wrong are refused: %s', async (name, content, message) => {
    await expect(openDataset(await file(name, content), ALL)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('with wrong grades or mappings are refused', async () => {
    const place = await file('own.jsonl', '{"document":"D","query":"Q","grade":4}');
    await expect(openPools(place, ALL)).rejects.toThrow('row 1: the grade is 4; 0, 1, 2 or 3 were expected');
    const twice = await file('twice.jsonl', '{"document":"D","query":"Q","grade":1,"id":"i"}\n'.repeat(2));
    await expect(openPools(twice, ALL)).rejects.toThrow('row 2: the pool "Q" has the candidate "i" already');
    await expect(openDataset(place, ALL, { columns: { answer: 'gold' } })).rejects.toThrow(
      'no column "gold" for the answer',
    );
    expect(() => parseColumns(['document'])).toThrow('"document": role=column was expected');
    expect(() => parseColumns(['text=body'])).toThrow('There is no role text; roles are document, query, answer');
    await expect(openDataset('none.csv', ALL)).rejects.toThrow('none.csv: no such file');
  });
});

describe("BEIR's form", () => {
  const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n');
  const CORPUS = Array.from({ length: 60 }, (_, i) => ({
    _id: `d${i}`,
    title: i % 2 ? `Title ${i}` : '',
    text: `Text ${i}`,
  }));
  const QUERIES = [1, 2, 3].map((i) => ({ _id: `q${i}`, text: `Query ${i}`, metadata: {} }));
  const QRELS = [
    'query-id\tcorpus-id\tscore',
    'q1\td3\t1',
    'q1\td4\t0',
    'q2\td5\t4',
    'q2\tgone\t1',
    'q3\td6\t0',
    '',
  ].join('\n');

  async function beir(qrels: Readonly<Record<string, string>>): Promise<string> {
    const root = await temporaryFolder();
    await mkdir(path.join(root, 'qrels'));
    await writeFile(path.join(root, 'corpus.jsonl'), lines(CORPUS));
    await writeFile(path.join(root, 'queries.jsonl'), lines(QUERIES));
    for (const [name, text] of Object.entries(qrels)) await writeFile(path.join(root, 'qrels', name), text);
    return root;
  }

  it('gives pools of judged documents and ten others', async () => {
    const root = await beir({ 'test.tsv': QRELS, 'train.tsv': 'query-id\tcorpus-id\tscore\n' });
    const set = await openPools(`beir:${root}`, ALL);
    expect(set.name).toBe(`beir:${path.basename(root)}`);
    const [first, second] = sorted(set.pools);
    expect(set.pools).toHaveLength(2);
    expect(first).toMatchObject({ id: 'q1', query: 'Query 1' });
    expect(first!.candidates.slice(0, 2)).toEqual([
      { id: 'd3', document: 'Title 3\nText 3', title: 'Title 3', grade: 1 },
      { id: 'd4', document: 'Text 4', grade: 0 },
    ]);
    // Grades beyond ESCI's are taken for its highest; a judged document that the corpus lacks is left out.
    expect(second!.candidates[0]).toMatchObject({ id: 'd5', grade: 3 });
    for (const { candidates } of set.pools) {
      expect(new Set(candidates.map(({ id }) => id)).size).toBe(candidates.length);
      expect(candidates.filter(({ grade }) => grade === 0).length).toBeGreaterThanOrEqual(8);
    }
    expect((await openPools(`beir:${root}`, ALL)).digest).toBe(set.digest);
  });

  it('takes the only qrels there are, and says when it cannot choose', async () => {
    expect((await openPools(`beir:${await beir({ 'dev.tsv': QRELS })}`, ALL)).pools).toHaveLength(2);
    const two = await beir({ 'dev.tsv': QRELS, 'train.tsv': QRELS });
    await expect(openPools(`beir:${two}`, ALL)).rejects.toThrow(
      'test.tsv or a single .tsv file was expected, dev.tsv, train.tsv found',
    );
    await expect(openDataset(`beir:${two}`, ALL)).rejects.toThrow('no documents with questions and answers');
  });
});

describe('neural-bridge', () => {
  let hub: HubStandIn;
  beforeEach(async () => {
    hub = await HubStandIn.start();
  });
  afterEach(() => hub.stop());

  it('leaves out short questions, short answers and rows without', async () => {
    const row = (question: number, answer: number, over: object = {}) => ({
      context: 'A page.',
      question: words(question, 'q'),
      answer: words(answer, 'a'),
      ...over,
    });
    const rows = [
      row(15, 5),
      row(14, 5),
      row(15, 4),
      row(15, 5, { answer: null }),
      row(15, 5, { context: ' ' }),
      row(20, 20),
    ];
    const content = parquetFile(rows, { context: 'STRING', question: 'STRING', answer: 'STRING' });
    hub.publishData('neural-bridge/rag-dataset-12000', {
      'data/train-00000-of-00001-9df3a936e1f63191.parquet': content,
    });
    const home = await temporaryFolder();
    const options = { hub: hubSettings({ HF_HOME: home, HF_ENDPOINT: hub.url }, home) };
    const dataset = await openDataset('neural-bridge', ALL, options);
    expect(sorted(dataset.samples).map(({ id }) => id)).toEqual(['row-0', 'row-5']);
    expect(dataset.licence).toContain('Apache-2.0');
    await expect(openDataset('neural-bridge', { ...ALL, rule: 'factoid' }, options)).rejects.toThrow(
      'has no short answers',
    );
  });
});

describe('words', () => {
  it.each([
    ['', 0],
    ['  ', 0],
    ['one', 1],
    [' one\t two\n', 2],
    ['a\u00a0b\u3000c\x1cd\x85e', 5],
    ['a\ufeffb\u200bc', 1],
  ])("are counted as Python's split does: %j", (text, count) => expect(wordCount(text)).toBe(count));
});
