import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/base/random.js';
import { ChatEndpoint } from '../support/chat-endpoint.js';
import { dkv, startDkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const model = referenceFixture('text');
const args = (out: string, n = 40) => [
  'run',
  'exp01',
  '--n',
  String(n),
  '--out',
  out,
  '--model',
  model,
  '--batch-tokens',
  '512',
];

describe('dkv run', () => {
  it('prints the table, and writes record, trials, summary and reports', async () => {
    const out = path.join(await temporaryFolder(), 'run');
    const { exitCode, stdout, stderr } = await dkv(args(out, 6));
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/oracle_d +bare_d/);
    expect(stdout).toContain('Smoke run: no conclusions');
    expect(stdout).toContain('report.html');
    expect(stderr).toContain('6/6 samples  100%');
    expect((await readdir(out)).sort()).toEqual([
      'report.html',
      'report.md',
      'run.json',
      'samples.jsonl',
      'summary.json',
      'trials.jsonl',
    ]);
    const record = JSON.parse(await readFile(path.join(out, 'run.json'), 'utf8'));
    expect(record).toMatchObject({ format: 2, configuration: { samples: 6, seed: 42, dataset: { name: 'adworld' } } });
    expect(Object.keys(record.versions)).toEqual(['directed-kvcache', 'onnxruntime-node', 'node']);
  });

  it('prints JSON for machines', async () => {
    const { stdout } = await dkv([...args(path.join(await temporaryFolder(), 'run'), 4), '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ format: 2, smoke_run: true, samples: { scored: 4 } });
  });

  it('ends in the same summary after being killed again and again', async () => {
    const folder = await temporaryFolder();
    const undisturbed = path.join(folder, 'undisturbed');
    expect((await dkv(args(undisturbed))).exitCode).toBe(0);
    const wanted = await readFile(path.join(undisturbed, 'summary.json'), 'utf8');

    const out = path.join(folder, 'killed');
    const random = new Random('kill');
    let killed = 0;
    for (let attempt = 0; killed < 3 && attempt < 12; attempt++) {
      const child = startDkv([...args(out), '--resume']);
      const ended = once(child, 'close');
      await Promise.race([ended, setTimeout(400 + random.below(1500))]);
      if (child.exitCode === null) {
        child.kill('SIGKILL');
        killed++;
      }
      await ended;
    }
    const { exitCode } = await dkv([...args(out), '--resume']);
    expect(exitCode).toBe(0);
    expect(await readFile(path.join(out, 'summary.json'), 'utf8')).toBe(wanted);
  });

  it('stops cleanly on Ctrl-C and says how to go on', async () => {
    const out = path.join(await temporaryFolder(), 'run');
    const child = startDkv(args(out, 400));
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const journal = path.join(out, 'trials.jsonl');
    while (!existsSync(journal) || (await readFile(journal, 'utf8')) === '') await setTimeout(20);
    child.kill('SIGINT');
    const [exitCode] = await once(child, 'close');
    expect(exitCode).toBe(130);
    expect(stderr).toContain('--resume');
    expect(existsSync(path.join(out, 'summary.json'))).toBe(false);
    expect((await readFile(journal, 'utf8')).endsWith('\n')).toBe(true);
  });

  it('refuses a folder that holds another run, and shows the difference', async () => {
    const out = path.join(await temporaryFolder(), 'run');
    await dkv(args(out, 4));
    const same = await dkv(args(out, 4));
    expect(same).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUN_EXISTS') });
    const other = await dkv([...args(out, 5), '--arms', 'no_document', '--resume']);
    expect(other.exitCode).toBe(2);
    const [first, ...lines] = other.stderr.trimEnd().split('\n');
    expect(first).toMatch(/RUN_MISMATCH: .* holds a run with other options than these:$/);
    expect(lines).toEqual([
      '  --n: was 4, is 5',
      '  --arms: was not given, is no_document',
      'Choose another folder with --out, or go on with that run:',
      expect.stringMatching(/^ {2}dkv run exp01 --n 4 .* --resume$/),
    ]);
  });

  it('runs an experiment of one’s own, with the decoder’s prompt as asked', async () => {
    const folder = await temporaryFolder();
    const file = path.resolve(import.meta.dirname, '../../examples/experiments/keywords.yaml');
    const options = ['--n', '4', '--model', model, '--json'];
    const [own, without] = await Promise.all([
      dkv(['run', file, ...options, '--out', path.join(folder, 'own')]),
      dkv(['run', file, ...options, '--out', path.join(folder, 'without'), '--prompt', 'none']),
    ]);
    const [asked, unasked] = [own, without].map(({ stdout }) => JSON.parse(stdout));
    expect(asked.configuration.experiment).toMatchObject({ id: 'keywords', prompt: 'query' });
    expect(unasked.configuration.experiment.prompt).toBe('none');
    expect(asked.conditions.map(({ name }: { name: string }) => name)).toEqual(
      unasked.conditions.map(({ name }: { name: string }) => name),
    );
    expect(asked.conditions[0].nll).not.toBe(unasked.conditions[0].nll);
    expect(asked.selections[0].folds).toBe(4);
  });

  it('ranks pools', async () => {
    const out = path.join(await temporaryFolder(), 'run');
    const { stdout, stderr } = await dkv(['run', 'exp04b', '--n', '2', '--model', model, '--out', out]);
    expect(stdout).toMatch(/condition +AUC +RR@3/);
    expect(stderr).toContain('16/16 candidates');
    const samples = (await readFile(path.join(out, 'samples.jsonl'), 'utf8')).trim().split('\n');
    expect(JSON.parse(samples[0]!)).toMatchObject({
      pool: expect.stringMatching(/pool/),
      grade: expect.any(Number),
      kind: expect.stringMatching(/^[a-z]+( and [a-z]+)?$/),
    });
  });

  it('keeps texts out of the folder when told to', async () => {
    const folder = await temporaryFolder();
    const [kept, left] = [path.join(folder, 'kept'), path.join(folder, 'left')];
    await Promise.all([dkv(args(kept, 3)), dkv([...args(left, 3), '--no-text'])]);
    const first = JSON.parse((await readFile(path.join(kept, 'samples.jsonl'), 'utf8')).split('\n')[0]!);
    const sentence = first.texts.document.slice(0, 30);
    for (const [directory, has] of [
      [kept, true],
      [left, false],
    ] as const) {
      const files = await Promise.all(
        (await readdir(directory)).map((name) => readFile(path.join(directory, name), 'utf8')),
      );
      expect(files.some((text) => text.includes(sentence))).toBe(has);
    }
  });

  it('has a language model write surrogates, once', async () => {
    const endpoint = await ChatEndpoint.start();
    endpoint.reply = (_, count) => ({ content: `"query number ${count}"` });
    const folder = await temporaryFolder();
    const env = {
      DKV_LLM_BASE_URL: endpoint.baseUrl,
      DKV_LLM_MODEL: 'writer',
      DKV_LLM_API_KEY: 'sk-hidden',
      DKV_CACHE: path.join(folder, 'cache'),
    };
    const exp05 = (name: string) =>
      dkv(['run', 'exp05', '--n', '3', '--model', model, '--out', path.join(folder, name)], { env });
    const first = await exp05('first');
    expect(first.exitCode).toBe(0);
    expect(first.stderr).toContain('9 requests, 0 from the cache, 0 failed');
    expect(first.stdout + first.stderr).not.toContain('sk-hidden');
    expect((await exp05('second')).stderr).toContain('0 requests, 9 from the cache');
    expect(endpoint.requests).toHaveLength(9);
    const record = JSON.parse(await readFile(path.join(folder, 'first', 'run.json'), 'utf8'));
    expect(record.configuration.writer).toContain('writer');
    const { writers } = JSON.parse(await readFile(path.join(folder, 'first', 'written.json'), 'utf8'));
    expect(writers).toHaveLength(3);
    expect(writers[0]).toMatchObject({
      writer: record.configuration.writer,
      prompt: expect.stringContaining('web search'),
      sampling: { max_tokens: 30, temperature: 0.7, top_p: 0.9, seed: null },
      texts: Array.from({ length: 3 }, () => ({ text: expect.stringMatching(/^query number \d$/) })),
    });
    const without = await dkv(['run', 'exp05', '--n', '3', '--model', model, '--out', path.join(folder, 'none')]);
    expect(without).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/^error INPUT_INVALID: .*DKV_LLM_BASE_URL/),
    });
    expect(await readdir(folder)).not.toContain('none');
    const self = await dkv(['run', 'exp05', '--n', '3', '--writer', 'self', '--out', path.join(folder, 'self')]);
    expect(self.stdout).toMatch(/were written by the model of this run.*\nLeft out, because .*question_full/);
    expect(self.stdout).not.toContain('keywords_d (');
  });

  it('names the experiments that there are', async () => {
    const { exitCode, stderr } = await dkv(['run', 'exo1']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('There is no experiment "exo1". Did you mean "exp01"? There are: ');
    const data = await dkv(['run', 'exp01', '--dataset', 'ms-macro']);
    expect(data.stderr).toContain('There is no dataset "ms-macro". Did you mean "ms-marco"? Expected adworld, ');
  });
});
