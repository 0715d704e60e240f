/** `dkv prime`, as a user runs it, with the built-in model. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { adworldLines } from '../../src/adworld/lines.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { parquetFile } from '../datasets/parquet.js';
import { dkv, jsonLines, startDkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

const ADS = [...adworldLines({ split: 'test', count: 8 })].map((line) => `${line}\n`).join('');

async function inStore<T>(folder: string, look: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(folder, { mustExist: true });
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

async function idsOf(folder: string): Promise<string[]> {
  return inStore(folder, async (store) => {
    const ids: string[] = [];
    for await (const id of store.ids()) ids.push(id);
    return ids.sort();
  });
}

describe('dkv prime', () => {
  it('primes lines of standard input alone, on request behind surrogates too, and says what it did', async () => {
    const cwd = await temporaryFolder();
    const alone = ['prime', '--input', '-', '--store', 'ads'];
    const bare = await dkv(alone, { cwd, input: ADS });
    expect(bare.stdout).toMatch(/^8 documents primed as bare: 8 passes through the encoder, \d+ kB each\n/);
    const args = [...alone, '--surrogate', 'doc_kw'];
    const first = await dkv(args, { cwd, input: ADS });
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toMatch(/^8 documents primed as bare, doc_kw: 8 passes through the encoder, \d+ kB each\n/);
    expect(first.stdout).toMatch(/\n0 unchanged \(0%\), 0 rejected\n.*documents\/s.*tokens\/s\nStore: .*ads\n$/);
    const { exitCode, stdout } = await dkv([...args, '--json'], { cwd, input: ADS });
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ documents: 8, primed: 0, unchanged: 8, encoded: 0, rejected: 0 });
    expect(existsSync(path.join(cwd, 'stdin.rejects.jsonl'))).toBe(false);
    const store = path.join(cwd, 'ads');
    const entry = await inStore(store, (open) => open.entry('adworld-test-00003'));
    expect(Object.keys(entry!.variants)).toEqual(['bare', 'doc_kw']);
    expect(entry!.metadata.fields).toMatchObject({ category: expect.any(String), questions: expect.any(Array) });
  });

  it('writes rows that it cannot prime to a file, goes on, and exits with 2', async () => {
    const cwd = await temporaryFolder();
    const lines = [
      '{"id":"a","text":"A lamp."}',
      'oops',
      '[1]',
      '{"id":"b"}',
      '',
      '{"text":"x"}',
      '{"id":7,"document":"B."}',
    ];
    await writeFile(path.join(cwd, 'docs.jsonl'), `\ufeff${lines.join('\n')}\n`);
    const args = ['prime', '--input', 'docs.jsonl', '--store', 'docs', '--surrogate', 'lead', '--no-bare'];
    const { exitCode, stdout } = await dkv(args, { cwd });
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/2 documents primed as lead/);
    expect(stdout).toMatch(
      /4 rejected\n.*\n.*\nRejected: see docs\.jsonl\.rejects\.jsonl\. The first, row 2: .*line 2: not JSON/,
    );
    expect(jsonLines(await readFile(path.join(cwd, 'docs.jsonl.rejects.jsonl'), 'utf8'))).toEqual([
      { row: 2, reason: expect.stringMatching(/line 2: not JSON/) },
      { row: 3, reason: expect.stringMatching(/line 3: a JSON object was expected/) },
      { row: 4, id: 'b', reason: 'it has no text' },
      { row: 5, reason: 'it has no id' },
    ]);
    expect(await idsOf(path.join(cwd, 'docs'))).toEqual(['7', 'a']);
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"a","text":"A lamp."}\n');
    expect((await dkv(args, { cwd })).exitCode).toBe(0);
    expect(existsSync(path.join(cwd, 'docs.jsonl.rejects.jsonl'))).toBe(false);
  });

  it('says how many rows were left out for a later one with the same id, and that nothing is new the second time', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"a","text":"A lamp."}\n{"id":"a","text":"A chair."}\n');
    const args = ['prime', '--input', 'docs.jsonl', '--store', 'docs'];
    const first = await dkv(args, { cwd });
    expect(first.stdout).toMatch(/^1 document primed as bare: 1 pass /);
    expect(first.stdout).toContain('\n1 document left out: a later row has the same id, ');
    expect(first.stdout).toMatch(/\nNext: dkv rank --store docs --queries queries\.jsonl; .*--surrogate doc_kw .*\n$/);
    const again = await dkv([...args, '--json'], { cwd });
    expect(JSON.parse(again.stdout)).toMatchObject({ documents: 2, primed: 0, unchanged: 1, replaced: 1, rejected: 0 });
  });

  it('leaves no store behind an empty file, and no speed where all was rejected', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), '');
    const args = ['prime', '--input', 'docs.jsonl', '--store', 'docs'];
    const empty = await dkv(args, { cwd });
    expect(empty.exitCode).toBe(2);
    expect(empty.stderr).toMatch(/^[^%]*there are no documents in it[^%]*$/);
    expect(existsSync(path.join(cwd, 'docs'))).toBe(false);
    await writeFile(path.join(cwd, 'docs.jsonl'), '{"id":"b","text":""}\n');
    const rejected = await dkv(args, { cwd });
    expect(rejected.stdout).not.toContain('/s');
    expect(rejected.stdout).toContain('1 rejected\n');
  });

  it('says how many documents there are, and what all of them take once the first are primed', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.jsonl'), `${ADS}oops\n`);
    const args = ['prime', '--input', 'docs.jsonl', '--store', 'ads', '--batch-tokens', '64'];
    const { stdout, stderr } = await dkv(args, { cwd });
    expect(stderr).toMatch(
      /^priming {2}0\/9 documents {2}0%\n9 documents: about \d+ s more and [\d.]+ MB in the store, /,
    );
    const [, first] = /going by the first (\d); --states float16 halves the bytes\.\n/.exec(stderr)!;
    expect(Number(first)).toBeLessThan(8);
    expect(stderr).toMatch(/\npriming {2}9\/9 documents {2}100% .*\n$/);
    const [, all, each] = /and ([\d.]+) MB.*, ([\d.]+) kB each/s.exec(stderr + stdout)!;
    // The first are not quite like the rest.
    expect(Number(all) / 9).toBeGreaterThan(Number(each) / 2000);
    expect(Number(all) / 9).toBeLessThan(Number(each) / 500);
    const again = await dkv([...args, '--limit', '3'], { cwd });
    expect(again.stderr).toMatch(/^priming {2}0\/3 documents {2}0%\npriming {2}3\/3 documents/);
  });

  it.each([
    ['own.csv', Buffer.from('sku,body,price\n1,"A lamp, green",24\n2,A chair\n3,A tent,99\n'), 1, '24'],
    ['own.tsv', Buffer.from('sku\tbody\tprice\n1\tA 36" lamp\t24\n3\tA tent\t99\n'), 0, '24'],
    [
      'own.parquet',
      Buffer.from(
        parquetFile(
          [
            { sku: '1', body: 'A lamp', price: 24 },
            { sku: '3', body: 'A tent', price: 99 },
          ],
          { sku: 'STRING', body: 'STRING', price: 'INT64' },
        ),
      ),
      0,
      24,
    ],
  ])('reads %s with the columns that it is told', async (name, content, rejected, price) => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, name), content);
    const columns = ['--columns', 'id=sku,document=body'];
    const { exitCode, stdout, stderr } = await dkv(
      ['prime', '--input', name, '--store', 'own', ...columns, '--surrogate', 'template', '--json'],
      { cwd },
    );
    expect({ exitCode, stderr: stderr.replace(/^priming.*\n/gm, '') }).toEqual({
      exitCode: rejected ? 2 : 0,
      stderr: '',
    });
    expect(JSON.parse(stdout)).toMatchObject({ primed: 2, rejected, variants: ['bare', 'template'] });
    const entry = await inStore(path.join(cwd, 'own'), (store) => store.entry('1'));
    expect(entry!.metadata.fields).toEqual({ price });
  });

  it('keeps ids exact, lines whole, and quotes of tab-separated text', async () => {
    const cwd = await temporaryFolder();
    const lines = ['{"id": 9007199254740992, "text": "A lamp."}', '{"id": 9007199254740993, "text": "A\u2028chair."}'];
    await writeFile(path.join(cwd, 'docs.jsonl.gz'), gzipSync(`${lines.join('\n')}\n`));
    await writeFile(path.join(cwd, 'docs.tsv'), 'id\ttext\n1\t"The lamp.\n2\tA chair.\n3\tA "bed.\n');
    const prime = async (input: string, store: string) => {
      const { exitCode, stdout } = await dkv(['prime', '--input', input, '--store', store, '--json'], { cwd });
      expect({ exitCode, ...JSON.parse(stdout) }).toMatchObject({ exitCode: 0, rejected: 0, cut: 0 });
      return idsOf(path.join(cwd, store));
    };
    expect(await prime('docs.jsonl.gz', 'lines')).toEqual(['9007199254740992', '9007199254740993']);
    expect(await prime('docs.tsv', 'tabs')).toEqual(['1', '2', '3']);
  });

  it('says what is wrong with a whole file in one message, and takes what mends it', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'docs.csv'), 'sku;body\n1;"A lamp; red"\n2;A chair\n');
    const args = ['prime', '--input', 'docs.csv', '--store', 'docs', '--columns', 'id=sku', 'document=body'];
    const refused = await dkv(args, { cwd });
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /^error INPUT_INVALID: docs\.csv has no column "sku" .* and no column "body" .*; it has "sku;body"\. .*--separator semicolon\.\n$/,
    );
    expect(existsSync(path.join(cwd, 'docs'))).toBe(false);
    expect((await dkv([...args, '--separator', 'semicolon'], { cwd })).exitCode).toBe(0);
    expect(await idsOf(path.join(cwd, 'docs'))).toEqual(['1', '2']);
    await writeFile(path.join(cwd, 'rows.tsv'), '1\tA lamp\n');
    const own = ['prime', '--input', 'rows.tsv', '--store', 'docs', '--header', 'id,text', '--json'];
    expect(JSON.parse((await dkv(own, { cwd })).stdout)).toMatchObject({ primed: 1 });
  });

  it('counts documents that were cut, and takes blank ones for none, as score does', async () => {
    const cwd = await temporaryFolder();
    const texts = ['A lamp. '.repeat(80), 'A chair.', ' ', '\ufeff', '\u00a0\n'];
    const input = texts.map((text, id) => `${JSON.stringify({ id, text, document: text, target: 'x' })}\n`).join('');
    const limit = ['--max-length', '60'];
    const primed = await dkv(['prime', '--input', '-', '--store', 'docs', ...limit], { cwd, input });
    expect(primed.exitCode).toBe(2);
    expect(primed.stdout).toMatch(
      /^2 documents primed .*\n0 unchanged \(0%\), 3 rejected\n1 cut at their end to keep to 60 tokens\n/,
    );
    const asked = input.replaceAll(/"text":("[^"]*"),/g, '');
    const scored = await dkv(['score', ...limit], { cwd, input: asked });
    expect(scored.exitCode).toBe(2);
    expect(scored.stderr).toBe(
      '2 of 5 lines scored; 1 document cut at the end to keep to 60 tokens; 3 rejected, the first in line 3: document is empty.\n',
    );
  });

  it('reads a BEIR corpus, title and text together', async () => {
    const cwd = await temporaryFolder();
    const corpus = '{"_id":"d1","title":"Lamp","text":"It is green."}\n{"_id":"d2","title":"","text":"A tent."}\n';
    await writeFile(path.join(cwd, 'corpus.jsonl'), corpus);
    await dkv(['prime', '--input', 'corpus.jsonl', '--store', 'beir', '--states', 'int8'], { cwd });
    const texts = await inStore(path.join(cwd, 'beir'), async (store) => [
      (await store.getDocument('d1', 'bare'))!.record,
      (await store.getDocument('d2', 'bare'))!.record,
    ]);
    expect(texts.map(({ text, precision }) => [text, precision])).toEqual([
      ['Lamp\nIt is green.', 'int8'],
      ['A tent.', 'int8'],
    ]);
  });

  it('takes surrogates in a list, and texts with commas alone', async () => {
    const cwd = await temporaryFolder();
    const surrogates = ['--surrogate', 'template,kw3', '--surrogate', 'static:What, and when?'];
    const { stdout } = await dkv(
      [
        'prime',
        '--input',
        '-',
        '--store',
        'ads',
        ...surrogates,
        '--visibility',
        'bos,document',
        '--json',
        '--limit',
        '2',
      ],
      { cwd, input: ADS },
    );
    expect(JSON.parse(stdout)).toMatchObject({
      rows: 2,
      variants: ['bare', 'template', 'kw3', 'static:What, and when?'],
    });
    const { record } = (await inStore(path.join(cwd, 'ads'), (store) =>
      store.getDocument('adworld-test-00000', 'kw3'),
    ))!;
    expect(record.visibility).toEqual(['bos', 'document']);
  });

  it('shares documents out among shards', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'ads.jsonl'), ADS);
    const counts: number[] = [];
    for (const part of ['1/2', '2/2']) {
      const args = ['prime', '--input', 'ads.jsonl', '--store', 'ads', '--shard', part, '--json'];
      counts.push(JSON.parse((await dkv(args, { cwd })).stdout).documents);
    }
    expect(counts[0]! + counts[1]!).toBe(8);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(await idsOf(path.join(cwd, 'ads'))).toHaveLength(8);
  });

  it('keeps priors of reference queries, and refuses a store primed otherwise', async () => {
    const cwd = await temporaryFolder();
    await writeFile(path.join(cwd, 'queries.txt'), 'garden chair\n\ncheap lamp\n');
    await writeFile(path.join(cwd, 'queries.jsonl'), '{"text":"garden chair"}\n{"query":"cheap lamp"}\n');
    const args = ['prime', '--input', '-', '--store', 'ads', '--limit', '2', '--json'];
    const first = await dkv([...args, '--prior', 'queries.txt'], { cwd, input: ADS });
    expect(JSON.parse(first.stdout)).toMatchObject({ primed: 2 });
    const second = await dkv([...args, '--prior', 'queries.jsonl'], { cwd, input: ADS });
    expect(JSON.parse(second.stdout)).toMatchObject({ unchanged: 2 });
    const entry = await inStore(path.join(cwd, 'ads'), (store) => store.entry('adworld-test-00000'));
    expect(entry!.metadata.priors).toEqual({ bare: expect.any(Number) });
    const refused = await dkv([...args, '--states', 'int8'], { cwd, input: ADS });
    expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/STORE_MISMATCH.*statesPrecision/) });
    expect((await dkv([...args, '--states', 'int8', '--replace'], { cwd, input: ADS })).exitCode).toBe(0);
    await writeFile(path.join(cwd, 'marked.txt'), 'lamp <eos>\n');
    const marked = await dkv([...args, '--prior', 'marked.txt', '--replace'], { cwd, input: ADS });
    expect(marked.stderr).toContain(
      '1 reference queries with control tokens as they are written (<eos>), read as text',
    );
  });

  it('stops on Ctrl-C while it waits for lines, keeps what it has, and goes on', async () => {
    const cwd = await temporaryFolder();
    const lines = ADS.trimEnd().split('\n');
    const child = startDkv(['prime', '--input', '-', '--store', 'ads'], { cwd });
    child.stdin.write(`${lines.slice(0, 5).join('\n')}\n`);
    // Silence closes the window: the five are primed while more is waited for.
    await once(child.stderr, 'data');
    child.kill('SIGINT');
    let stderr = '';
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    expect((await once(child, 'close'))[0]).toBe(130);
    expect(stderr).toMatch(/CANCELLED: Stopped; what was primed, 5 documents, stays in /);
    const { stdout } = await dkv(['prime', '--input', '-', '--store', 'ads', '--json'], { cwd, input: ADS });
    expect(JSON.parse(stdout)).toMatchObject({ primed: 3, unchanged: 5 });
  });

  it.each([
    [['--input', 'missing.jsonl'], /missing\.jsonl: no such file/],
    [['--input', 'docs.txt'], /docs\.txt: documents are read from \.jsonl, \.csv/],
    [['--input', '-', '--columns', 'query=q'], /Documents have no query/],
    [['--input', '-', '--separator', 'two'], /comma, semicolon, tab, pipe or one character/],
    [['--input', '-', '--header', 'id,id'], /different names, separated by commas/],
    [['--input', '-', '--surrogate', 'doc_kw,oracle'], /"oracle" cannot be primed with: it needs the query/],
    [['--input', '-', '--surrogate', 'doc_kw,nothing'], /There is no surrogate "nothing"/],
    [['--input', '-', '--surrogate', 'pos_wk5'], /There is no surrogate "pos_wk5"\. Did you mean "pos_kw"\?/],
    [['--input', '-', '--surrogate', 'llm:need'], /need a language model/],
    [['--input', '-', '--visibility', 'some'], /Expected exact, published, full/],
    [['--input', '-', '--shard', '0/2'], /from 1\/n to n\/n/],
    [['--input', '-', '--ttl', '7'], /with s, m, h or d behind it/],
    [['--input', '-', '--max-bytes', '7GiB'], /kB, MB, GB or TB/],
    [['--input', '-', '--prior', 'none.txt'], /--prior none\.txt/],
    [['--input', '-', '--states', 'int4'], /float32, float16, int8/],
    [[], /required option '--input <file>'/],
  ])('says what is wrong with %j, and exits with 2', async (args, message) => {
    const cwd = await temporaryFolder();
    const { exitCode, stderr } = await dkv(['prime', '--store', 'store', ...args], { cwd, input: ADS });
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
    // Nothing was begun.
    expect(await readdir(cwd)).toEqual([]);
  });
});
