/** `dkv init`: what it asks, what it refuses, and that what it writes runs as printed. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { initFolder, questions } from '../../src/cli/init.js';
import { dkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');
const ADS = path.join(EXAMPLES, 'experiments/ads.csv');
const PRODUCTS = path.join(EXAMPLES, 'own-data/products.csv');

/** The printed commands, as words. */
function commandsIn(said: string): string[][] {
  const lines = said.split('\n').filter((line) => line.startsWith('  npx dkv '));
  return lines.map((line) => line.trim().split(' ').slice(2));
}

async function answering(folder: string, ...answers: string[]): Promise<readonly string[]> {
  const { ask, close } = questions(Readable.from([answers.map((line) => `${line}\n`).join('')]));
  try {
    return (await initFolder(folder, { columns: [] }, ask)).commands;
  } finally {
    close();
  }
}

describe('dkv init', () => {
  it('writes a study by options alone, whose commands run as printed', async () => {
    const cwd = await temporaryFolder();
    await copyFile(ADS, path.join(cwd, 'ads.csv'));
    const model = ['--model', referenceFixture('text'), '--compare', 'title,column:searched'];
    const { exitCode, stdout } = await dkv(['init', 'mine', '--for', 'study', '--data', 'ads.csv', ...model], { cwd });
    expect({ exitCode, stdout }).toEqual({
      exitCode: 0,
      stdout: expect.stringContaining('Written: mine/study.yaml\n'),
    });
    const study = await readFile(path.join(cwd, 'mine/study.yaml'), 'utf8');
    expect(study).toContain('dataset: ../ads.csv');
    expect(study).toMatch(/document: text\n +query: question\n +answer: reply\n/);
    const [small, whole, report] = commandsIn(stdout);
    for (const [args, least] of [
      [small, 'mine/try/summary.json'],
      [[...whole!, '--n', '6'], 'mine/results/summary.json'],
      [report, 'mine/results/notebook.ipynb'],
    ] as const) {
      expect(await dkv(args!, { cwd })).toMatchObject({ exitCode: 0 });
      expect((await readFile(path.join(cwd, least), 'utf8')).length).toBeGreaterThan(100);
    }
    const again = await dkv(['init', 'mine', '--for', 'study', '--data', 'ads.csv'], { cwd });
    expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('nothing is written over') });
    expect(await readFile(path.join(cwd, 'mine/study.yaml'), 'utf8')).toBe(study);
  });

  it('writes a folder to serve from, whose commands run as printed', async () => {
    const cwd = await temporaryFolder();
    await copyFile(PRODUCTS, path.join(cwd, 'products.csv'));
    const args = ['init', '--for', 'serving', '--data', 'products.csv', '--model', referenceFixture('text')];
    const { exitCode, stdout } = await dkv(args, { cwd });
    expect(exitCode).toBe(0);
    const folder = path.join(cwd, 'serving');
    expect((await readdir(folder)).sort()).toEqual(['README.md', 'qrels.tsv', 'queries.jsonl']);
    const readme = await readFile(path.join(folder, 'README.md'), 'utf8');
    const commands = commandsIn(stdout);
    expect(commands.map(([command]) => command)).toEqual(['prime', 'rank', 'evaluate']);
    for (const command of commands) {
      expect(readme).toContain(command.join(' '));
      expect(await dkv(command, { cwd })).toMatchObject({ exitCode: 0 });
    }
    expect(await readFile(path.join(folder, 'run.txt'), 'utf8')).toMatch(/^q1 Q0 /);
  });

  it('asks for what is not given, and again after an answer that does not fit', async () => {
    const folder = path.join(await temporaryFolder(), 'asked');
    const said = await answering(
      folder,
      'both',
      'study',
      'nowhere.csv',
      ADS,
      'document=nothing query=question answer=reply',
      'document=text query=question answer=reply',
      './no-such-model',
      '',
      'no_such_surrogate',
      'doc_kw',
    );
    expect(said).toHaveLength(3);
    const study = await readFile(path.join(folder, 'study.yaml'), 'utf8');
    expect(study).not.toMatch(/^model:/m);
    expect(study).toContain('surrogate: doc_kw');
    const serving = path.join(path.dirname(folder), 'served');
    await answering(serving, 'serving', ADS, 'id=sku document=text query=searched', '', 'memory:');
    const queries = (await readFile(path.join(serving, 'queries.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(queries.length).toBeGreaterThan(20);
    expect(await readFile(path.join(serving, 'qrels.tsv'), 'utf8')).toContain('q1\tad-01\t1\n');
  });

  it('writes nothing where an answer is missing or wrong', async () => {
    const cwd = await temporaryFolder();
    await mkdir(path.join(cwd, 'full'));
    await writeFile(path.join(cwd, 'full', 'kept'), '');
    const given = ['--for', 'study', '--data', ADS];
    for (const [args, message] of [
      [[], 'Missing: --for study|serving, --data FILE'],
      [['full', ...given], 'nothing is written over'],
      [['new', ...given, '--columns', 'document=body'], 'no column "body" for the document'],
      [['new', '--for', 'study', '--data', 'nowhere.csv'], 'no such file'],
      [['new', '--for', 'study', '--data', ''], 'INPUT_INVALID: No file was named. Expected a .csv'],
      [['new', ...given, '--compare', 'no_such_surrogate'], 'no_such_surrogate'],
      [['new', ...given, '--model', './none'], 'no such folder'],
    ] as const) {
      const { exitCode, stderr } = await dkv(['init', ...args], { cwd });
      expect(stderr).toContain(message);
      expect(exitCode).toBe(2);
    }
    await expect(answering(path.join(cwd, 'new'), 'study')).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await readdir(cwd)).toEqual(['full']);
  });
});
