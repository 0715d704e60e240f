/** `dkv rank` and `dkv evaluate`, as a user runs them: a collection, primed, ranked and measured, with the built-in model. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseQrels, parseRun } from '../../src/datasets/trec.js';
import { loadModel } from '../../src/scoring/load-model.js';
import { bm25Of } from '../../src/serving/bm25.js';
import { rank } from '../../src/serving/rank.js';
import { mean } from '../../src/stats/describe.js';
import { measure, rank as ordered } from '../../src/stats/ranking.js';
import { openStore } from '../../src/store/open.js';
import { dkv, jsonLines, startDkv } from '../support/dkv.js';
import { referenceFixture } from '../support/fixtures.js';

let cwd: string;
beforeAll(async () => {
  cwd = await mkdtemp(path.join(os.tmpdir(), 'dkv-rank-'));
  const made = await dkv(['data', 'adworld', '--count', '8', '--beir', 'ads', '--documents', '80'], { cwd });
  expect(made).toEqual({
    exitCode: 0,
    stdout: expect.stringMatching(
      /^ads\/corpus\.jsonl: 80 documents\nads\/queries\.jsonl: 8 queries\nads\/qrels\/test\.tsv: \d+ judgements\n$/,
    ),
    stderr: '',
  });
  await writeFile(path.join(cwd, 'usual.txt'), 'a cheap lamp\nwhere do I get shoes\n');
  const primed = await dkv(
    ['prime', '--input', 'ads/corpus.jsonl', '--store', 'store', '--prior', 'usual.txt', '--surrogate', 'doc_kw'],
    {
      cwd,
    },
  );
  expect(primed.exitCode).toBe(0);
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

const read = (file: string) => readFile(path.join(cwd, file), 'utf8');
const QUERIES = ['--store', 'store', '--queries', 'ads/queries.jsonl'];
const QRELS = ['--qrels', 'ads/qrels/test.tsv'];
const ranked = (...args: string[]) => dkv(['rank', ...QUERIES, ...args], { cwd });
const evaluated = (...args: string[]) => dkv(['evaluate', ...QUERIES, ...QRELS, ...args], { cwd });
const runOf = async (file: string) => parseRun(await read(file), file);
const idsOf = (run: Awaited<ReturnType<typeof runOf>>) =>
  new Map([...run].map(([query, scores]) => [query, ordered(scores)]));

describe('dkv rank', () => {
  it('writes the run that the library makes, and measures that the run has', async () => {
    const { exitCode, stdout } = await ranked(
      ...QRELS,
      '--candidates',
      'bm25:12',
      '--output',
      'run.txt',
      '--details',
      'details.jsonl',
    );
    expect(exitCode).toBe(0);
    const run = await runOf('run.txt');
    const lines = (await read('run.txt')).trim().split('\n');
    expect(lines[0]).toMatch(/^adworld-pool-test-00000 Q0 \S+ 1 -\d+\.\d+ dkv-tiny-bare$/);

    const queries = jsonLines(await read('ads/queries.jsonl')).map(({ _id, text }) => ({
      id: _id as string,
      text: text as string,
    }));
    const [store, model] = [await openStore(path.join(cwd, 'store')), await loadModel()];
    const index = await bm25Of(store);
    const asked = queries.map((query) => ({
      ...query,
      candidates: index.search(query.text, 12).map(({ id, score }) => ({ id, firstStage: score })),
    }));
    for await (const { id, documents } of rank(model, store, asked)) {
      expect([...run.get(id)!.keys()]).toEqual(documents.map((document) => document.id));
      for (const { id: own, score } of documents) expect(run.get(id)!.get(own)).toBeCloseTo(score, 5);
    }
    await store.close();
    await model.close();

    const details = jsonLines(await read('details.jsonl'));
    expect(details).toHaveLength(lines.length);
    for (const [i, { query, id, rank: place, score, nll, nll_sum, tokens, first_stage }] of details.entries()) {
      expect(lines[i]).toBe(`${query} Q0 ${id} ${place} ${score} dkv-tiny-bare`);
      expect(score).toBe(-(nll as number));
      expect(nll_sum).toBeCloseTo((nll as number) * (tokens as number), 5);
      expect(first_stage).toBeGreaterThan(0);
    }

    const qrels = parseQrels(await read('ads/qrels/test.tsv'), 'qrels');
    for (const name of ['nDCG@10', 'RR@10', 'AP', 'P@5', 'Success@1']) {
      const values = [...run].flatMap(([query, scores]) => measure(name).of(scores, qrels.get(query)!) ?? []);
      const row = stdout.split('\n').find((line) => line.startsWith(`${name} `))!;
      const [, all, judged, value, count] = row.split(/ +/).map(Number);
      expect([value!.toFixed(3), count]).toEqual([mean(values).toFixed(3), 8]);
      expect([all, judged]).toEqual([value, 8]);
    }
    expect(stdout).toMatch(
      /^8 queries, 96 documents ranked by query-likelihood with bare of tiny, the built-in model\n/,
    );
  });

  it('ranks the candidates of qrels, pairs, runs, or all', async () => {
    await ranked('--candidates', 'ads/qrels/test.tsv', '--output', 'judged.txt');
    const judged = await runOf('judged.txt');
    const qrels = parseQrels(await read('ads/qrels/test.tsv'), 'qrels');
    for (const [query, grades] of qrels) expect(new Set(judged.get(query)!.keys())).toEqual(new Set(grades.keys()));

    const [[query, grades]] = [...qrels] as [[string, Map<string, number>]];
    const pairs = [...grades.keys()].slice(0, 3).map((id) => `${query}\t${id}\n`);
    await writeFile(path.join(cwd, 'pairs.tsv'), `query-id\tcorpus-id\n${pairs.join('')}`);
    const few = await ranked('--candidates', 'pairs.tsv', '--output', 'few.txt', '--top', '2', '--json');
    expect(few.stderr).toMatch(/7 of 8 queries have no candidates and are left out: (\S+, ){5}\.\.\./);
    expect(JSON.parse(few.stdout)).toMatchObject({
      queries: 1,
      documents: 2,
      variant: 'bare',
      missing: [],
      measures: [],
    });
    const own = idsOf(judged)
      .get(query)!
      .filter((id) => pairs.some((pair) => pair.includes(`\t${id}\n`)));
    expect(idsOf(await runOf('few.txt')).get(query)).toEqual(own.slice(0, 2));

    const stage = [...grades.keys()].map((id, at) => `${query} Q0 ${id} ${at + 1} ${10 - at} first\n`);
    await writeFile(path.join(cwd, 'first.txt'), stage.join(''));
    const first = ['--candidates', 'first.txt', '--interpolate'];
    await ranked(...first, '1', '--output', 'stage.txt');
    expect(idsOf(await runOf('stage.txt')).get(query)).toEqual([...grades.keys()]);
    await ranked(...first, '0', '--output', 'ours.txt');
    expect(idsOf(await runOf('ours.txt')).get(query)).toEqual(idsOf(judged).get(query));

    const { stdout } = await ranked('--candidates', 'all', '--variant', 'doc_kw');
    expect(parseRun(stdout, 'all').get(query)!.size).toBe(80);
    expect(stdout).toMatch(/ dkv-tiny-doc_kw\n/);
  });

  it('says what is missing, and does with it what it is told', async () => {
    const [query] = [...(await runOf('judged.txt')).keys()];
    const own = [...(await runOf('judged.txt')).get(query!)!.keys()].slice(0, 2);
    await writeFile(path.join(cwd, 'gone.tsv'), [...own, 'gone-1', 'gone-2'].map((id) => `${query} ${id}\n`).join(''));
    const wanted = ['--candidates', 'gone.tsv', '--output', 'gone.txt'];
    const error = await ranked(...wanted);
    expect(error.exitCode).toBe(2);
    expect(error.stderr).toMatch(/DOCUMENT_MISSING: .*no "bare" cache of 2 of 4 candidates: "gone-1", "gone-2"/);
    expect(error.stderr).toContain(
      'say with --on-missing (onMissing in a program) what becomes of missing ones: last puts them last, skip leaves them out.',
    );
    const unjudged = await dkv(['evaluate', '--store', 'ads', '--queries', 'queries.jsonl'], { cwd });
    expect(unjudged.stderr).toMatch(/'--qrels <file>' not specified\n.*"query 0 document 1" \(TREC\)/);
    const last = await ranked(...wanted, '--on-missing', 'last');
    expect(last.stdout).toContain('Not in the store: 2 candidates, gone-1, gone-2');
    expect(idsOf(await runOf('gone.txt')).get(query!)).toEqual([...own, 'gone-2', 'gone-1']);
    await ranked(...wanted, '--on-missing', 'skip');
    expect(idsOf(await runOf('gone.txt')).get(query!)).toEqual(own);
  });

  it('measures all judged queries, as ir_measures does, and names those that it did not rank', async () => {
    const [first, second, third] = [...(await runOf('judged.txt'))].map(([query, scores]) => [
      query,
      [...scores.keys()],
    ]);
    const lines = (await read('ads/queries.jsonl')).trim().split('\n');
    await writeFile(path.join(cwd, 'three.jsonl'), lines.slice(0, 3).join('\n'));
    // One has a relevant document, one has none, one has no candidates, one is not asked; grades as some collections write them.
    const own = [
      `${first![0]}\t${first![1]![0]}\t1.0`,
      `${second![0]}\t${second![1]![0]}\t-1.0`,
      `${third![0]}\t${third![1]![0]}\t2.0`,
      'unasked\tsome\t1.0',
    ];
    await writeFile(path.join(cwd, 'own.tsv'), `query-id\tcorpus-id\tscore\n${own.join('\n')}\n`);
    const pairs = [first!, second!].flatMap(([query, ids]) => [...(ids as string[])].map((id) => `${query}\t${id}\n`));
    await writeFile(path.join(cwd, 'two.tsv'), pairs.join(''));
    const args = [
      'rank',
      '--store',
      'store',
      '--queries',
      'three.jsonl',
      '--candidates',
      'two.tsv',
      '--qrels',
      'own.tsv',
    ];
    const { stdout } = await dkv([...args, '--output', 'two.txt', '--measures', 'RR', '--json'], { cwd });
    const value = measure('RR').of((await runOf('two.txt')).get(first![0] as string)!, new Map([[first![1]![0]!, 1]]))!;
    expect(JSON.parse(stdout)).toMatchObject({
      queries: 2,
      unranked: { without_candidates: [third![0]], not_asked: ['unasked'] },
      measures: [
        {
          name: 'RR',
          queries: 3,
          mean: expect.closeTo(value / 3, 12),
          judged_queries: 4,
          judged_mean: expect.closeTo(value / 4, 12),
        },
      ],
    });
    const shown = await dkv([...args, '--output', 'two.txt'], { cwd });
    expect(shown.stdout).toContain(`1 judged query has no candidates and counts 0: ${third![0]}.`);
    expect(shown.stdout).toContain('1 judged query is not in the query file and counts 0: unasked.');
    expect(shown.stdout).toMatch(/^mean of +all judged +queries +with a relevant document +queries$/m);
    await writeFile(path.join(cwd, 'half.tsv'), `query-id\tcorpus-id\tscore\n${first![0]}\tx\t0.5\n`);
    const half = await dkv([...args.slice(0, -1), 'half.tsv'], { cwd });
    expect(half).toMatchObject({ exitCode: 2, stderr: expect.stringMatching(/half\.tsv, line 2: expected/) });
  });

  it('takes priors off', async () => {
    const { exitCode } = await ranked('--candidates', 'judged', ...QRELS, '--prior', '--output', 'prior.txt');
    expect(exitCode).toBe(0);
    const [plain, less] = [await runOf('judged.txt'), await runOf('prior.txt')];
    const offsets = [...less].flatMap(([query, scores]) =>
      [...scores].map(([id, score]) => [id, score - plain.get(query)!.get(id)!] as const),
    );
    expect(offsets.every(([, offset]) => offset > 0)).toBe(true);
    expect(new Set(offsets.map(([, offset]) => offset.toFixed(3))).size).toBeGreaterThan(30);
  });

  it('ranks by answers', async () => {
    const made = ['data', 'adworld', '--count', '2', '--beir', 'asked', '--answers'];
    expect((await dkv(made, { cwd })).exitCode).toBe(0);
    expect(
      (await dkv(['prime', '--input', 'asked/corpus.jsonl', '--store', 'answers', '--surrogate', 'doc_kw'], { cwd }))
        .exitCode,
    ).toBe(0);
    const args = ['rank', '--store', 'answers', '--queries', 'asked/queries.jsonl', '--qrels', 'asked/qrels/test.tsv'];
    const { exitCode, stdout } = await dkv(
      [
        ...args,
        '--candidates',
        'judged',
        '--objective',
        'answer-likelihood',
        '--output',
        'answers.txt',
        '--measures',
        'RR,AUC',
        '--json',
      ],
      { cwd },
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      objective: 'answer-likelihood',
      documents: 16,
      measures: [{ name: 'RR', queries: 2 }, { name: 'AUC' }],
    });
  });

  it('ranks by whether the first word means relevant', async () => {
    const word = (name: string, text: string) => [`--${name}-token`, text];
    const args = ['--candidates', 'bm25:4', '--objective', 'relevance', '--prompt', '{query}?'];
    const of = [...args, ...word('relevant', ' lamp'), ...word('irrelevant', ' no'), '--output', 'odds.txt'];
    const { exitCode, stdout } = await ranked(...of, '--details', 'odds.jsonl', '--json');
    expect(exitCode).toBe(0);
    const asked = { relevant_token: ' lamp', irrelevant_token: ' no', prompt: '{query}?' };
    expect(JSON.parse(stdout)).toMatchObject({ objective: 'relevance', relevance: asked, documents: 32 });
    for (const { nll, tokens, score } of jsonLines(await read('odds.jsonl'))) {
      expect([nll, tokens, typeof score]).toEqual([null, 1, 'number']);
    }
    const shown = await ranked(...of);
    expect(shown.stdout).toMatch(
      /^8 queries, 32 documents ranked by relevance \(" lamp" against " no"\) with bare of tiny/,
    );
    const alone = await ranked(...args, ...word('relevant', ' lamp'), '--details', 'alone.jsonl', '--output', 'x.txt');
    expect(alone.exitCode).toBe(0);
    for (const { nll, score } of jsonLines(await read('alone.jsonl'))) expect(score).toBe(-(nll as number));
  });

  it.each<[string[], RegExp]>([
    [['--objective', 'relevance'], /needs the word that means relevant: give --relevant-token/],
    [
      ['--objective', 'relevance', '--relevant-token', 'true'],
      /"true" is 3: "t" \(id 360\), "r" \(id 358\), "ue" \(id 500\)/,
    ],
    [['--irrelevant-token', 'no'], /--irrelevant-token is for --objective relevance/],
    [['--objective', 'relevance', '--relevant-token', 'no', '--prompt', 'x'], /expected a text with \{query\} in it/],
    [['--objective', 'relevance', '--relevant-token', 'no', '--prior'], /it cannot be taken off relevance/],
    [['--objective', 'answer-likelihood'], /INPUT_INVALID: Query "adworld-pool-test-00000" has no answer/],
    [['--model', referenceFixture('text')], /STORE_MISMATCH: .*was primed with .*\(tiny\)/],
    [['--variant', 'template'], /DOCUMENT_MISSING: .*no "template" cache of/],
    [['--candidates', 'nothing.txt'], /nothing\.txt.*Expected a TREC run.*bm25:K/],
    [['--candidates', 'usual.txt'], /usual\.txt.*expected "qid 0 docid grade"/],
    [['--candidates', 'bm25:0'], /Expected a TREC run.*bm25:K/],
    [['--candidates', 'judged'], /give --qrels/],
    [['--qrels', 'nothing.txt'], /--qrels nothing\.txt/],
    [['--candidates', 'first.txt', '--interpolate', '1.5'], /from 0 to 1/],
    [['--candidates', 'judged', '--interpolate', '0.5', ...QRELS], /no first-stage score/],
    [['--measures', 'NDCG'], /no measure "NDCG"\. Did you mean "nDCG"\?/],
    [['--variant', 'dock_w'], /What they have is bare, doc_kw\. Did you mean "doc_kw"\?/],
    [['--json'], /give --output/],
    [['--store', 'nowhere'], /there is no store/],
    [['--queries', 'usual.txt'], /usual\.txt/],
    [['--details', '/no/such/folder/x', '--candidates', 'first.txt', '--output', 'x.txt'], /--details \/no\/such/],
  ])('refuses %j and exits with 2', async (args, message) => {
    const { exitCode, stderr } = await ranked(...args);
    expect(stderr).toMatch(message);
    expect(exitCode).toBe(2);
  });

  it('stops on Ctrl-C', async () => {
    const child = startDkv(['rank', ...QUERIES, '--candidates', 'all', '--output', 'stopped.txt'], { cwd });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      if (!stderr.includes('ranking') && String(chunk).includes('ranking')) child.kill('SIGINT');
      stderr += chunk;
    });
    expect((await once(child, 'close'))[0]).toBe(130);
    expect(stderr).toMatch(/CANCELLED/);
  });
});

describe('dkv evaluate', () => {
  it('compares, says what to rank with, and stores calibrations that dkv rank uses', async () => {
    const args = ['--candidates', 'bm25:10', '--calibrate'];
    const { exitCode, stdout } = await evaluated(...args);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^8 judged queries, \d+ candidates, query-likelihood of tiny, the built-in model\n/);
    expect(stdout).toMatch(/^mean of +nDCG@10 +RR@10 +AP +P@5 +Success@1$/m);
    for (const system of ['bm25', 'bare', 'doc_kw']) expect(stdout).toMatch(new RegExp(`^${system} +0\\.\\d{3} `, 'm'));
    expect(stdout).toMatch(/^doc_kw +bare +\S+ \[\S+, \S+\] +0?\.?\d\S* +\S+$/m);
    expect(stdout).toMatch(/^calibrated +relevant +Brier/m);
    expect(stdout).toMatch(/^Over all 8 judged queries, each of which has a relevant document\.$/m);
    // Eight queries are too few for evidence over three comparisons, though BM25 has the higher mean.
    expect(stdout).toMatch(/^Best system: bm25, the simplest: no evidence of a difference from bare and doc_kw \(by /m);
    expect(stdout).toMatch(/^Best cache: bare, the simplest: no evidence of a difference from doc_kw\.$/m);
    expect(stdout).toMatch(/\nNo evidence that re-ranking with this model helps or harms: bare less bm25 .*\n$/);

    const found = JSON.parse(
      (await evaluated(...args, '--json', '--measures', 'AP', 'AUC', '--primary', 'AUC')).stdout,
    );
    expect(found).toMatchObject({
      queries: 8,
      primary: 'AUC',
      missing: [],
      unranked: { without_candidates: [], not_asked: [] },
      verdict: { measure: 'AUC', comparisons: 3, best: { system: 'bm25' }, best_cache: { system: 'bare' } },
    });
    expect(['no', 'undecided']).toContain(found.verdict.rerank);
    expect(found.measures.map(({ name }: { name: string }) => name)).toEqual(['AUC', 'AP']);
    await ranked('--candidates', 'bm25:10', '--output', 'r.txt', '--details', 'relevance.jsonl', '--variant', 'doc_kw');
    for (const { relevance_score } of jsonLines(await read('relevance.jsonl'))) {
      expect(relevance_score).toBeGreaterThanOrEqual(0);
      expect(relevance_score).toBeLessThanOrEqual(1);
    }
    await ranked('--candidates', 'bm25:10', '--output', 'r.txt', '--details', 'none.jsonl', '--prior');
    expect(jsonLines(await read('none.jsonl'))[0]).not.toHaveProperty('relevance_score');
  });

  it('sets a cross-encoder beside them, with what each system costs', async () => {
    const { exitCode, stdout } = await evaluated('--candidates', 'bm25:3', '--upper-bound', '--measures', 'RR');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^mean of +RR +encoder passes a query +passes a document, before$/m);
    const [, candidates] = /^8 judged queries, (\d+) candidates/.exec(stdout)!;
    const passes = { bm25: ['0', '0'], bare: ['0', '1'], 'cross-encoder': [(Number(candidates) / 8).toFixed(1), '0'] };
    for (const [name, costs] of Object.entries(passes)) {
      expect(stdout).toMatch(new RegExp(`^${name} +[01]\\.\\d{3} +${costs.join(' +')}$`, 'm'));
    }
    expect(stdout).toMatch(/^cross-encoder +bare +/m);
    expect(stdout).not.toMatch(/^Best .*cross-encoder/m);
    const template = await evaluated(
      '--objective',
      'relevance',
      '--relevant-token',
      'no',
      '--template',
      '{query}{document}',
    );
    expect(template).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('give --upper-bound as well') });
  });

  it('says not to re-rank where BM25 is shown to be better', async () => {
    // BM25's own order is called the right one, so that nothing can be better.
    const store = await openStore(path.join(cwd, 'store'));
    const index = await bm25Of(store);
    await store.close();
    const asked = jsonLines(await read('ads/corpus.jsonl')).flatMap(({ text }, i) => {
      const query = ((text as string).match(/\p{L}{4,}/gu) ?? []).slice(0, 4).join(' ');
      const best = index.search(query, 5);
      return best.length === 5 && i < 24 ? [{ id: `q${i}`, text: query, best }] : [];
    });
    expect(asked.length).toBeGreaterThan(15);
    await writeFile(
      path.join(cwd, 'found.jsonl'),
      asked.map(({ id, text }) => JSON.stringify({ id, text })).join('\n'),
    );
    const grades = asked.flatMap(({ id, best }) => best.map((found, at) => `${id} 0 ${found.id} ${5 - at}\n`));
    await writeFile(path.join(cwd, 'found.txt'), grades.join(''));
    const args = ['--queries', 'found.jsonl', '--qrels', 'found.txt', '--candidates', 'bm25:10'];
    const { stdout } = await dkv(['evaluate', '--store', 'store', ...args], { cwd });
    expect(stdout).toMatch(/^Best system: bm25, shown to be better than bare and doc_kw \(by nDCG@10, Holm over 3/m);
    expect(stdout).toMatch(
      /\nDo not re-rank with this model: \S+, of its caches .*, is worse than bm25: −0\.\d+ .*\n$/,
    );
    const { verdict } = JSON.parse((await dkv(['evaluate', '--store', 'store', ...args, '--json'], { cwd })).stdout);
    expect(verdict).toMatchObject({ best: { system: 'bm25' }, rerank: 'no', rerank_margin: { baseline: 'bm25' } });
    expect(verdict.rerank_margin.difference.high).toBeLessThan(0);
  });

  it('takes variants by name, and says when there is nothing to compare', async () => {
    const alone = await evaluated('--candidates', 'judged', '--variants', 'bare');
    expect(alone.stdout).toMatch(/\nBest cache: bare\.\n/);
    const { exitCode, stderr } = await evaluated('--candidates', 'judged', '--variants', 'bare,template');
    expect(stderr).toMatch(/DOCUMENT_MISSING: .*"template"/);
    expect(exitCode).toBe(2);
    expect((await dkv(['evaluate', ...QUERIES], { cwd })).stderr).toMatch(/required option '--qrels/);
  });
});
