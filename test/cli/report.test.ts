import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { madeRecords, writeNumbers } from '../support/authors-records.js';
import { dkv, startDkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

async function runFolder(...options: [Parameters<typeof madeRun>[1]?]): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'run');
  await writeRun(folder, madeRun(truncation, ...options));
  return folder;
}

describe('dkv report, compare and log', () => {
  it.each(['report', 'compare', 'log', 'import authors'])('%s helps with examples', async (command) => {
    const { exitCode, stdout } = await dkv([...command.split(' '), '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Examples:');
    expect(stdout).toContain('--json');
  });

  it('rebuild the reports asked for', async () => {
    const texts = { document: 'the document', query: 'the query', answer: 'secret', target: ['secret'] };
    const folder = await runFolder({ texts, tokens: 1 });
    const { exitCode, stdout } = await dkv(['report', folder, '--format', 'md,html,tex', '--no-text', '--json']);
    expect(exitCode).toBe(0);
    const { files } = JSON.parse(stdout);
    expect(files.map((file: string) => path.basename(file))).toEqual(
      expect.arrayContaining(['report.md', 'report.html']),
    );
    expect(await readFile(path.join(folder, 'report.html'), 'utf8')).not.toContain('secret');
    expect(existsSync(path.join(folder, 'tables', 'gains-exact.tex'))).toBe(true);
    expect(existsSync(path.join(folder, 'notebook.ipynb'))).toBe(false);
    expect((await dkv(['report', folder, '--format', 'html'])).exitCode).toBe(0);
    expect(await readFile(path.join(folder, 'report.html'), 'utf8')).toContain('secret');
  });

  it('say which files stand in two forms, and what removes one', async () => {
    const folder = await runFolder();
    for (const name of ['samples.jsonl', 'trials.jsonl']) {
      const file = path.join(folder, name);
      await writeFile(`${file}.gz`, gzipSync(await readFile(file)));
    }
    const { exitCode, stderr } = await dkv(['report', folder, '--format', 'md']);
    expect([
      exitCode,
      stderr.match(/l and .*l\.gz are both there, .*: dkv run exp01 --n 40 .* --resume\n/g)?.length,
    ]).toEqual([0, 2]);
  });

  it('rebuild the reports of all runs below a folder, and name those that cannot be read', async () => {
    const folder = await runFolder();
    const [all, other] = [path.dirname(folder), path.join(path.dirname(folder), 'other')];
    await writeRun(other, madeRun(truncation, { samples: 12 }));
    const whole = await dkv(['report', all, '--format', 'md', '--json']);
    const names = JSON.parse(whole.stdout).files.map((file: string) => path.resolve(file));
    expect([whole.exitCode, names]).toEqual([0, [other, folder].map((each) => path.join(each, 'report.md'))]);
    expect((await dkv(['report', all, '--format', 'html'])).stdout.trim().split('\n')).toHaveLength(3);
    const index = path.join(all, 'index.html');
    expect(await readFile(index, 'utf8')).toContain('<a href="run/report.html">run</a>');
    const linked = await readFile(path.join(folder, 'report.html'), 'utf8');
    expect(linked).toContain(
      '<nav><a href="../index.html">All runs</a> <a href="../other/report.html">← other</a></nav>',
    );
    await writeFile(index, 'a page of mine');
    expect(await dkv(['report', all, '--format', 'html'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is a page of something else and stays as it is'),
    });
    await rm(path.join(other, 'summary.json'));
    await rm(path.join(folder, 'report.md'));
    const { exitCode, stdout, stderr } = await dkv(['report', all, '--format', 'md']);
    expect([exitCode, stdout.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toMatch(/INPUT_INVALID: 1 of 2 runs got no report:\n {2}.*other holds a run that is not finished/);
    expect(stderr).toMatch(
      /: dkv run exp01 --n 12 --seed 1 --dataset made-up --model some\/model .*--prompt none --outcomes none --out \S+other --resume/,
    );
    expect(existsSync(path.join(folder, 'report.md'))).toBe(true);
  });

  it('refuse what they cannot do', async () => {
    const folder = await runFolder();
    expect(await dkv(['report', folder, '--format', 'pdf'])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('"pdf" is none; expected html'),
    });
    expect(await dkv(['report', await temporaryFolder()])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is not a run folder'),
    });
    const journal = path.join(folder, 'trials.jsonl');
    const lines = await readFile(journal, 'utf8');
    await writeFile(journal, lines.replace('"cut":false', '"cut":true'));
    expect(await dkv(['report', folder])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(
        /RUN_DAMAGED: .*trials\.jsonl, line 2: not what was written .*dkv run exp01 --n 40 .* --resume/,
      ),
    });
    await writeFile(journal, lines);
    const own = await runFolder({ model: { name: 'tiny', built_in: true } });
    expect(await dkv(['compare', folder, own])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('is a run of the built-in model'),
    });
  });

  it('write comparison and log', async () => {
    const [a, b] = [await runFolder(), await runFolder({ samples: 30 })];
    const output = path.join(path.dirname(a), 'out.md');
    expect((await dkv(['compare', a, b, '--output', output])).exitCode).toBe(0);
    expect(await readFile(output, 'utf8')).toContain('| samples | 40 | 30 |');
    const compared = await dkv(['compare', a, b, '--json']);
    expect(JSON.parse(compared.stdout).runs).toHaveLength(2);
    const log = await dkv(['log', path.dirname(a)]);
    expect(log.stdout).toContain('surr_doc_d against bare_d');
    expect(JSON.parse((await dkv(['log', path.dirname(a), '--json'])).stdout).runs).toHaveLength(1);
    expect((await dkv(['log', path.dirname(a), '--output', output])).exitCode).toBe(0);
    expect(await readFile(output, 'utf8')).toContain('# Results log');
  });
});

describe('dkv import authors', () => {
  it('makes run folders once, and leaves nothing of what is wrong or stopped', async () => {
    const cwd = await temporaryFolder();
    const theirs = path.join(cwd, 'theirs');
    await mkdir(theirs);
    await writeNumbers(theirs, { exp01: madeRecords().exp01 });
    const again = () => dkv(['import', 'authors', 'theirs', '--out', 'runs'], { cwd });
    const { stdout, exitCode } = await again();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('exp01: 12 samples, 7 conditions, from authors-exp01.jsonl');
    expect(stdout).toContain('\nGo on with: dkv report runs\n');
    expect(await again()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('RUN_EXISTS: runs is there') });
    await rm(path.join(cwd, 'runs'), { recursive: true });
    // Statistics of many samples take long.
    await writeNumbers(theirs, madeRecords(5000));
    const child = startDkv(['import', 'authors', 'theirs', '--out', 'runs'], { cwd });
    const ended = once(child, 'close');
    await setTimeout(2500);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect((await ended)[1]).toBe('SIGINT');
    expect(await readdir(cwd)).toEqual(['theirs']);
  });
});
