/** ESCI and WANDS from the hub, WANDS and hetPQA from the folders that they were published as. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NumpyRandomState } from '../../src/base/numpy-random.js';
import { openDataset, openPools } from '../../src/datasets/open.js';
import { hubSettings } from '../../src/hub/settings.js';
import { temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';
import { parquetFile, words } from './parquet.js';

let hub: HubStandIn;
let home: string;

beforeEach(async () => {
  hub = await HubStandIn.start();
  home = await temporaryFolder();
});
afterEach(() => hub.stop());

const options = (variables: NodeJS.ProcessEnv = {}) => ({
  hub: hubSettings({ HF_HOME: home, HF_ENDPOINT: hub.url, ...variables }, home),
});
const pools = (name: string, count = 100) => openPools(name, { count, seed: 42 }, options());

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  return root;
}

describe('ESCI', () => {
  const TYPES = {
    example_id: 'INT64',
    query: 'STRING',
    query_id: 'INT64',
    product_id: 'STRING',
    product_locale: 'STRING',
    esci_label: 'STRING',
    small_version: 'INT64',
    large_version: 'INT64',
    product_title: 'STRING',
    product_description: 'STRING',
    product_bullet_point: 'STRING',
    product_brand: 'STRING',
    product_color: 'STRING',
    product_text: 'STRING',
  } as const;
  const row = (query: number, product: string, label: string, over: object = {}) => ({
    example_id: 1,
    query: `query ${query}`,
    query_id: query,
    product_id: product,
    product_locale: 'us',
    esci_label: label,
    product_title: `Title ${product}`,
    product_description: words(300, `d${product}`),
    product_bullet_point: null,
    product_text: words(12, `${query}${product}`),
    ...over,
  });
  const query = (number: number, labels: readonly string[]) =>
    labels.map((label, i) => row(number, `B${number}-${i}`, label));
  const without = (rows: readonly object[], column: string) => {
    const { [column as 'product_text']: _, ...types } = TYPES;
    return parquetFile(rows as Record<string, unknown>[], types);
  };
  const publish = (...files: readonly (readonly object[])[]) =>
    hub.publishData(
      'tasksource/esci',
      Object.fromEntries(
        files.map((rows, i) => [
          `data/train-0000${i}-of-0000${files.length}-2d36455632bef8a2.parquet`,
          parquetFile(rows as Record<string, unknown>[], TYPES, 3),
        ]),
      ),
    );

  it('gives pools with four grades, of words or letters', async () => {
    publish(query(7, ['Exact', 'Substitute', 'Complement', 'Irrelevant']), query(8, ['E', 'S', 'C', 'I']));
    const set = await pools('esci');
    expect(set).toMatchObject({
      name: 'esci',
      licence: 'Apache-2.0',
      revision: expect.stringMatching(/^[0-9a-f]{40}$/),
    });
    expect(set.pools.map(({ id }) => id).sort()).toEqual(['7', '8']);
    for (const { id, query: text, relevant, answer, candidates } of set.pools) {
      expect([text, relevant, answer]).toEqual([`query ${id}`, 2, undefined]);
      expect(candidates.map(({ grade }) => grade)).toEqual([3, 2, 1, 0]);
      expect(candidates[0]).toEqual({
        id: `B${id}-0`,
        document: words(12, `${id}B${id}-0`),
        title: `Title B${id}-0`,
        grade: 3,
      });
    }
  });

  it('keeps to the locale, to products of five words and to queries that can be ranked', async () => {
    publish([
      ...query(1, ['E', 'S', 'C']),
      ...query(2, ['E', 'E', 'S', 'S']),
      ...query(3, ['C', 'I', 'I', 'C']),
      ...query(4, ['E', 'I', 'I', 'I']),
      row(5, 'P1', 'E', { product_text: words(4, 'p') }),
      ...query(5, ['E', 'I', 'I']),
      row(6, 'P1', 'E', { product_locale: 'es' }),
      ...query(6, ['E', 'I', 'I']),
      row(9, 'B9-1', 'E'),
      ...query(9, ['E', 'I', 'I']),
    ]);
    expect((await pools('esci')).pools.map(({ id }) => id)).toEqual(['4']);
  });

  it('shuffles queries in the order of their first rows, also when rows of one lie apart', async () => {
    const all = Array.from({ length: 30 }, (_, i) => query(i, ['E', 'I', 'I', 'I']));
    publish(
      all.flatMap((rows) => rows.slice(0, 2)),
      all.flatMap((rows) => rows.slice(2)),
    );
    const wanted = new NumpyRandomState(42).permutation(30).slice(0, 5).map(String);
    const set = await pools('esci', 5);
    expect(set.pools.map(({ id }) => id)).toEqual(wanted);
    expect(set.pools.every(({ candidates }) => candidates.length === 4)).toBe(true);
  });

  it('puts a text together from the fields where there is none, leaving empty ones out', async () => {
    const rows = query(1, ['E', 'I', 'I', 'I']);
    Object.assign(rows[0]!, { product_bullet_point: 'Light.', product_description: 'A lamp for the desk.' });
    Object.assign(rows[1]!, { product_title: null, product_bullet_point: '', product_description: words(5, 'only') });
    hub.publishData('tasksource/esci', { 'data/train-00000-of-00001.parquet': without(rows, 'product_text') });
    const [first, second] = (await pools('esci')).pools[0]!.candidates;
    expect(first!.document).toBe('Title B1-0\nLight.\nA lamp for the desk.');
    expect(second).toEqual({ id: 'B1-1', document: words(5, 'only'), grade: 0 });
  });

  it('puts the text of a row together from title, bullets and description where it alone has none', async () => {
    const rows = query(1, ['E', 'S', 'C', 'I', 'I']);
    Object.assign(rows[0]!, { product_text: null, product_bullet_point: 'Light.\nDimmable.' });
    Object.assign(rows[1]!, { product_text: ' ', product_title: null, product_description: words(5, 'only') });
    Object.assign(rows[2]!, {
      product_text: '',
      product_title: 'A title of six words here',
      product_description: null,
    });
    // Too short, whatever it is put together from, as are four words of a text of its own beside a long description.
    Object.assign(rows[3]!, { product_text: null, product_title: 'Lamp', product_description: 'small and green' });
    Object.assign(rows[4]!, { product_text: words(4, 'short') });
    publish([...rows, row(1, 'B1-5', 'I')]);
    const { candidates } = (await pools('esci')).pools[0]!;
    expect(candidates.map(({ id, grade }) => [id, grade])).toEqual([
      ['B1-0', 3],
      ['B1-1', 2],
      ['B1-2', 1],
      ['B1-5', 0],
    ]);
    expect(candidates.slice(0, 3).map(({ document }) => document)).toEqual([
      `Title B1-0\nLight.\nDimmable.\n${words(300, 'dB1-0')}`,
      words(5, 'only'),
      'A title of six words here',
    ]);
    expect(candidates[1]).not.toHaveProperty('title');
  });

  it('takes the order of queries and the row of a product from rows that are long enough', async () => {
    const short = { product_text: null, product_title: 'Lamp', product_description: null };
    publish([
      // Without this row query 3 begins behind the others, and its second row is the product's.
      row(3, 'B3-0', 'C', short),
      ...query(2, ['E', 'I', 'I', 'I']),
      ...query(1, ['E', 'I', 'I', 'I']),
      ...query(3, ['E', 'I', 'I', 'I']),
    ]);
    const set = await pools('esci');
    const inOrder = ['2', '1', '3'];
    expect(set.pools.map(({ id }) => id)).toEqual(
      new NumpyRandomState(42).permutation(3).map((place) => inOrder[place]!),
    );
    expect(set.pools.find(({ id }) => id === '3')!.candidates[0]).toMatchObject({ id: 'B3-0', grade: 3 });
  });

  it('reads no descriptions that are not used', async () => {
    const rows = Array.from({ length: 60 }, (_, i) => query(i, ['E', 'I', 'I', 'I'])).flat();
    const file = parquetFile(rows, TYPES, 120);
    hub.publishData('tasksource/esci', { 'data/train-00000-of-00001.parquet': file });
    await pools('esci');
    // Most of the file is descriptions.
    const parts = hub.requests.filter(({ host }) => host === 'content');
    expect(parts.reduce((sum, { sentBytes }) => sum + sentBytes, 0) - 65_536).toBeLessThan(file.length / 5);
    hub.requests.length = 0;
    await openPools('esci', { count: 100, seed: 42 }, options({ HF_HUB_OFFLINE: '1' }));
    expect(hub.requests).toEqual([]);
  });

  it('refuses a label that it does not know, and has no samples', async () => {
    publish([...query(1, ['E', 'I', 'I']), row(1, 'X', 'excellent')]);
    await expect(pools('esci')).rejects.toThrow('tasksource/esci, row 4: the label "excellent"');
    await expect(openDataset('esci', { count: 1, seed: 1 }, options())).rejects.toThrow(
      'esci has no documents with questions and answers',
    );
  });
});

describe('WANDS', () => {
  const TYPES = {
    id: 'INT64',
    query_id: 'INT64',
    product_id: 'INT64',
    label: 'STRING',
    query: 'STRING',
    query_class: 'STRING',
    product_name: 'STRING',
    product_class: 'STRING',
    'category hierarchy': 'STRING',
    product_description: 'STRING',
    product_features: 'STRING',
  } as const;
  const row = (query: number, product: number, label: string) => ({
    id: 100 * query + product,
    query_id: query,
    product_id: product,
    label,
    query: `salon chair ${query}`,
    product_name: `Chair ${product}`,
    product_description: product % 2 ? `Soft, 36" wide, number ${product}` : null,
    product_features: 'color : red|width : 36"',
  });
  const publish = (splits: Readonly<Record<string, readonly object[]>>) =>
    hub.publishData(
      'napsternxg/wands',
      Object.fromEntries(
        Object.entries(splits).map(([split, rows]) => [
          `data/${split}-00000-of-00001.parquet`,
          parquetFile(rows as Record<string, unknown>[], TYPES, 10),
        ]),
      ),
    );

  it('unites the splits, which share queries', async () => {
    publish({
      train: [row(0, 1, 'Exact'), row(1, 2, 'Irrelevant')],
      dev: [row(0, 2, 'Partial'), row(0, 1, 'Exact')],
      test: [row(0, 3, 'Irrelevant'), row(1, 3, 'Irrelevant')],
    });
    const set = await pools('wands');
    expect(set).toMatchObject({ name: 'wands', licence: 'MIT' });
    expect(set.pools).toEqual([
      {
        id: '0',
        query: 'salon chair 0',
        relevant: 1,
        candidates: [
          {
            id: '1',
            document: 'Chair 1\nSoft, 36" wide, number 1\ncolor : red|width : 36"',
            title: 'Chair 1',
            grade: 2,
          },
          { id: '2', document: 'Chair 2\ncolor : red|width : 36"', title: 'Chair 2', grade: 1 },
          {
            id: '3',
            document: 'Chair 3\nSoft, 36" wide, number 3\ncolor : red|width : 36"',
            title: 'Chair 3',
            grade: 0,
          },
        ],
      },
    ]);
  });

  it('keeps forty products of a query, every grade among them, the same for a seed', async () => {
    const many = Array.from({ length: 500 }, (_, i) =>
      row(1, i, i === 321 ? 'Exact' : i === 5 ? 'Partial' : 'Irrelevant'),
    );
    publish({ train: many.slice(0, 300), dev: many.slice(300, 400), test: many.slice(400) });
    const first = await pools('wands');
    const { candidates } = first.pools[0]!;
    expect(candidates).toHaveLength(40);
    expect(candidates.map(({ id }) => id)).toEqual(expect.arrayContaining(['321', '5']));
    expect(new Set(candidates.map(({ id }) => id)).size).toBe(40);
    expect((await pools('wands')).digest).toBe(first.digest);
    expect((await openPools('wands', { count: 1, seed: 1 }, options())).digest).not.toBe(first.digest);
  });

  const FILES = {
    'query.csv': 'query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n1\t36" bed\tBeds\n',
    'product.csv': [
      'product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description\tproduct_features\trating_count',
      '0\tsolid wood platform bed\tBeds\tFurniture / Beds\tgood , deep sleep\toverallwidth : 36"|material : wood\t15.0',
      '1\t36" bed\tBeds\tFurniture\t\t\t',
      '2\t"all-clad 7 qt . ""slow"" cooker"\tCookers\tKitchen\tcreate delicious\tcapacity : 7\t100.0',
      '',
    ].join('\n'),
    'label.csv':
      'id\tquery_id\tproduct_id\tlabel\n234\t1\t0\tPartial\n12\t1\t1\tExact\n15\t1\t2\tIrrelevant\n16\t1\t99\tIrrelevant\n17\t0\t2\tIrrelevant\n',
  };

  it('is read as it was published, with quotes in its fields', async () => {
    const root = await folder(FILES);
    const { name, revision, pools: found } = await pools(`wands:${root}`);
    expect([name, revision]).toEqual(['wands', expect.stringMatching(/^sha256:[0-9a-f]{8}\+sha256:.*\+sha256:/)]);
    expect(found).toEqual([
      {
        id: '1',
        query: '36" bed',
        relevant: 1,
        candidates: [
          {
            id: '0',
            document: 'solid wood platform bed\ngood , deep sleep\noverallwidth : 36"|material : wood',
            title: 'solid wood platform bed',
            grade: 1,
          },
          { id: '1', document: '36" bed', title: '36" bed', grade: 2 },
          {
            id: '2',
            document: 'all-clad 7 qt . "slow" cooker\ncreate delicious\ncapacity : 7',
            title: 'all-clad 7 qt . "slow" cooker',
            grade: 0,
          },
        ],
      },
    ]);
    expect(hub.requests).toEqual([]);
  });

  it('says what a folder lacks', async () => {
    const root = await folder({ ...FILES, 'product.csv': 'product_id\tname\n0\ta\n' });
    await expect(pools(`wands:${root}`)).rejects.toThrow('product.csv has no column product_name, product_description');
    await expect(pools(`wands:${root}/none`)).rejects.toThrow('label.csv: no such file');
    const labels = await folder({ ...FILES, 'label.csv': 'id\tquery_id\tproduct_id\tlabel\n1\t1\t1\tGood\n' });
    await expect(pools(`wands:${labels}`)).rejects.toThrow(
      'row 1: the label "Good"; Exact, Partial, Irrelevant were expected',
    );
  });
});

describe('hetPQA', () => {
  const ANSWERS = [
    'ASIN\tquestion\tcandidate\tanswer\tsource',
    'B1\twhat size is the board?\t"my mat is 32"" x 27""."\t"it is 32"" x 27""."\tCQA',
    'B1\tdoes it float?\t{"material": "foam"}\tyes.\tattribute',
    'B2\tis it loud?\t\tno.\treview',
    'B2\tis it heavy?\tit weighs little.\t\treview',
    '',
  ].join('\n');
  const EVIDENCE = [
    'qid\tASIN\tqa_pair_id\tquestion\tcandidate\tlabel\tsource',
    'q1\tB1\tq1-0\tis it red?\tit is red.\t1\treview',
    'q1\tB1\tq1-1\tis it red?\tsoft wool.\t0\tbullet',
    'q2\tB2\tq2-0\tis it big?\tno idea.\t0\tCQA',
    '',
  ].join('\n');

  it('gives samples and pools, of the test split where there is one', async () => {
    const root = await folder({
      'answer_generation/dev.csv': ANSWERS,
      'answer_generation/train.csv': 'ASIN\n',
      'evidence_ranking/test.csv': EVIDENCE,
      'evidence_ranking/dev.csv': 'qid\n',
    });
    const { samples, licence, selection, leftOut } = await openDataset(`hetpqa:${root}`, { count: 9, seed: 42 });
    expect(leftOut).toEqual([{ rows: 1, reason: 'no candidate' }]);
    expect(licence).toBe('CDLA-Sharing-1.0');
    expect(selection).toContain('rows of dev.csv');
    expect([...samples].sort((a, b) => (a.id < b.id ? -1 : 1))).toEqual([
      {
        id: 'row-0',
        document: 'my mat is 32" x 27".',
        query: 'what size is the board?',
        answer: 'it is 32" x 27".',
        cluster: 'B1',
      },
      { id: 'row-1', document: '{"material": "foam"}', query: 'does it float?', answer: 'yes.', cluster: 'B1' },
      { id: 'row-3', document: 'it weighs little.', query: 'is it heavy?', answer: '', cluster: 'B2' },
    ]);
    const set = await openPools(`hetpqa:${root}`, { count: 9, seed: 42 });
    expect(set.leftOut).toBeUndefined();
    expect(set.pools).toEqual([
      {
        id: 'q1',
        query: 'is it red?',
        candidates: [
          { id: 'q1-0', document: 'it is red.', grade: 1 },
          { id: 'q1-1', document: 'soft wool.', grade: 0 },
        ],
      },
    ]);
    const file = path.join(root, 'answer_generation/dev.csv');
    expect((await openDataset(`hetpqa:${file}`, { count: 9, seed: 42 })).samples).toEqual(samples);
  });

  it('says what was expected where', async () => {
    const root = await folder({ 'answer_generation/dev.csv': ANSWERS });
    await expect(openPools(`hetpqa:${root}`, { count: 1, seed: 1 })).rejects.toThrow(
      'has no evidence_ranking with test.csv',
    );
    await expect(openPools(`hetpqa:${root}/answer_generation/dev.csv`, { count: 1, seed: 1 })).rejects.toThrow(
      'dev.csv has no column qid, qa_pair_id, label; it has ASIN, question, candidate',
    );
  });
});
