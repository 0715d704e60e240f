/** One file is a study: `dkv run FILE` needs nothing else, and what the command line says goes before it. */
import { copyFile, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { studyOptions } from '../../src/cli/study.js';
import { readRecord } from '../../src/runs/record.js';
import { commandsOf } from '../support/command-lines.js';
import { dkv } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/experiments');

/** The example with a small model, in a folder of its own. */
async function studyFolder(): Promise<string> {
  const folder = await temporaryFolder();
  const yaml = await readFile(path.join(EXAMPLES, 'study.yaml'), 'utf8');
  await writeFile(path.join(folder, 'study.yaml'), `model: ${referenceFixture('text')}\n${yaml}`);
  await copyFile(path.join(EXAMPLES, 'ads.csv'), path.join(folder, 'ads.csv'));
  return folder;
}

it('runs from its file alone, from wherever it is started, and goes on', async () => {
  const folder = await studyFolder();
  const cwd = await temporaryFolder();
  const file = path.relative(cwd, path.join(folder, 'study.yaml'));
  const { exitCode, stdout, stderr } = await dkv(['run', file, '--n', '6'], { cwd });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: expect.stringContaining('study.yaml: --n.') });
  expect(stdout).toMatch(/searched \(primary\) +bare/);
  // The file is what can be run again, with the model that it names.
  expect(stdout).toContain(`npx dkv run ${file} --dataset FILE.csv`);
  const run = path.join(cwd, 'results/searches');
  const { configuration, study } = (await readRecord(run))!;
  expect(configuration).toMatchObject({
    samples: 6,
    dataset: { name: 'ads.csv', selection: expect.stringContaining('document=text, query=question, answer=reply') },
    model: { name: 'text' },
    experiment: { protocol: { dataset: 'ads.csv' } },
  });
  expect(Object.keys(configuration.experiment)).not.toContain('data');
  expect(study).toEqual({ file: 'study.yaml', digest: expect.stringMatching(/^[0-9a-f]{64}$/), overruled: ['--n'] });
  const trials = await readFile(path.join(run, 'trials.jsonl'), 'utf8');
  expect(trials).toMatch(/"condition":"both".*"prefix":"[^"]+ - [^"]+"/);

  const again = await dkv(['run', file, '--n', '6', '--resume'], { cwd });
  expect(again.exitCode).toBe(0);
  expect(await readFile(path.join(run, 'trials.jsonl'), 'utf8')).toBe(trials);
  const ads = path.join(folder, 'ads.csv');
  await writeFile(ads, (await readFile(ads, 'utf8')).replaceAll('Music shop', 'Record shop'));
  const changed = await dkv(['run', file, '--n', '6', '--resume'], { cwd });
  expect(changed).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('dataset.digest') });
});

it('says what it takes from the command line in its place', async () => {
  const folder = await studyFolder();
  const [out, other] = [path.join(folder, 'out'), path.join(folder, 'other.jsonl')];
  const rows = Array.from({ length: 8 }, (_, i) => ({
    body: `The lamp number ${i} costs ${i + 3} euros.`,
    title: `Lamp ${i}`,
    query: 'How much is it?',
    answer: `${i + 3} euros`,
    searched: 'price of a lamp',
  }));
  const lacking = [
    { ...rows[0], query: ' ' },
    { ...rows[0], body: undefined },
    { ...rows[0], query: undefined },
  ];
  await writeFile(other, [...lacking, ...rows].map((row) => JSON.stringify(row)).join('\n'));
  const options = ['--dataset', other, '--columns', 'document=body', '--n', '4', '--out', out];
  const { exitCode, stderr } = await dkv(['run', path.join(folder, 'study.yaml'), ...options]);
  expect(exitCode).toBe(0);
  expect(stderr).toContain('study.yaml: --dataset, --columns, --n.');
  const record = (await readRecord(out))!;
  expect(record.configuration.dataset.name).toBe('other.jsonl');
  const leftOut = '3 rows left out: 2 with no query, 1 with no document (body)';
  expect(stderr).toContain(`other.jsonl: ${leftOut}.\n`);
  expect(record.configuration.dataset.left_out).toEqual([
    { rows: 2, reason: 'no query' },
    { rows: 1, reason: 'no document (body)' },
  ]);
  expect(record.study!.overruled).toEqual(['--dataset', '--columns', '--n']);
  const report = await readFile(path.join(out, 'report.md'), 'utf8');
  expect(report).toContain('| experiment’s file | study.yaml |');
  expect(report).toMatch(/\| taken from the command line instead \| .*dataset, .*columns, .*n \|/);
  expect(report).toContain(`| rows of the dataset | ${leftOut} |`);
  expect(report).toContain('| decoder reads before the target | the query |');
});

it('names the command that goes on with a run, whatever its table is like, and under its plan', async () => {
  const cwd = await temporaryFolder();
  await symlink(referenceFixture('text'), path.join(cwd, 'text'));
  const rows = Array.from({ length: 8 }, (_, i) => `Lamp ${i} costs ${i + 3} euros.;How much?;${i + 3} euros`);
  await writeFile(path.join(cwd, 'lamps.csv'), rows.join('\n'));
  const about = ['--dataset', 'lamps.csv', '--separator', 'semicolon', '--header', 'body,query,answer', '--columns'];
  const options = [...about, 'document=body', '--model', 'text', '--batch-tokens', '300', '--seed', '5'];
  const planned = await dkv(['plan', 'exp01', '--margin', '1', ...options, '--output', 'plan.json', '--n', '8'], {
    cwd,
  });
  expect(planned.exitCode, planned.stderr).toBe(0);
  const [begin] = commandsOf(/Run it with: (.*)/.exec(planned.stdout)![1]!);
  // Of the second fewer samples than are wanted.
  for (const [out, args] of [
    ['planned', begin!],
    ['short', ['run', 'exp01', ...options, '--n', '12']],
  ] as const) {
    const begun = await dkv([...args, '--out', out], { cwd });
    expect(begun.exitCode, begun.stderr).toBe(0);
    await rm(path.join(cwd, out, 'summary.json'));
    const { stdout } = await dkv(['log', '.'], { cwd });
    const [words] = commandsOf(/Finish it with: (dkv .*)/.exec(stdout)![1]!.replaceAll('\\', ''));
    const { exitCode, stderr } = await dkv(words!, { cwd });
    expect(exitCode, stderr).toBe(0);
    expect((await dkv(['report', out, '--format', 'md'], { cwd })).exitCode).toBe(0);
  }
  expect(await readFile(path.join(cwd, 'planned/report.md'), 'utf8')).toContain('As planned');
});

it('gives each option from the one that says it, the command line first', () => {
  const file = {
    data: {
      dataset: '/data/a.csv',
      revision: 'main',
      separator: 'semicolon',
      quoting: 'none' as const,
      header: ['x', 'y'],
      columns: { document: 'x', query: 'y' },
    },
    model: '/models/a',
  };
  const defaults = { dataset: 'adworld', columns: [], model: 'tiny' };
  const given = (values: Record<string, unknown>) => {
    const command = new Command();
    for (const [name, value] of Object.entries(values)) command.setOptionValueWithSource(name, value, 'cli');
    return command;
  };
  const chosen = (values: Record<string, unknown>, beside: Partial<typeof file> = file) =>
    studyOptions({ ...defaults, ...values }, beside, given(values));
  const { dataset, columns: fileColumns, separator: _, revision: datasetRevision, ...form } = file.data;
  const whole = { dataset, datasetRevision, separator: ';', ...form, fileColumns, columns: [], model: '/models/a' };
  expect(chosen({})).toEqual({ options: whole, overruled: [] });
  expect(chosen({ model: 'b', datasetRevision: 'v2' })).toEqual({
    options: { ...whole, model: 'b', datasetRevision: 'v2' },
    overruled: ['--dataset-revision', '--model'],
  });
  expect(chosen({ columns: ['query=z'] })).toEqual({
    options: { ...whole, columns: ['query=z'] },
    overruled: ['--columns'],
  });
  const experiment = { seed: 42, prompt: 'query' as const, protocol: { samples: 30, dataset: 'a', max_tokens: 2048 } };
  const asked = { seed: 7, prompt: 'none' as const, n: 6, maxLength: 512 };
  const { overruled } = studyOptions({ ...defaults, ...asked }, experiment, given(asked));
  expect(overruled).toEqual(['--n', '--seed', '--prompt', '--max-length']);
  const same = { seed: 42, prompt: 'query' as const, n: 30, maxLength: 2048 };
  expect(studyOptions({ ...defaults, ...same }, experiment, given(same)).overruled).toEqual([]);
  // A column or a separator is of the data that it was written for.
  expect(chosen({ dataset: 'b.csv' })).toEqual({
    options: { ...defaults, dataset: 'b.csv', fileColumns: {}, model: '/models/a' },
    overruled: ['--dataset'],
  });
  expect(chosen({ dataset: 'b.csv' }, {})).toEqual({
    options: { ...defaults, dataset: 'b.csv', fileColumns: {} },
    overruled: [],
  });
});
