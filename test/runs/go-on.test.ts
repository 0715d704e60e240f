/** The command that a message names to go on with a run: it is one, and has what the run's record says. */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { renewedSummary } from '../../src/experiments/analysis/renew.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { changedOptions } from '../../src/runs/changed-options.js';
import { goOnCommand, runCommand } from '../../src/runs/go-on.js';
import { readRecord } from '../../src/runs/record.js';
import { findSummary, readRun, readSummary } from '../../src/runs/run-folder.js';
import { readSamples } from '../../src/runs/samples.js';
import type { AskedRecord, RunRecord } from '../../src/runs/schema/record.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { commandsOf, parsed } from '../support/command-lines.js';
import { temporaryFolder } from '../support/fixtures.js';

async function made(): Promise<{ directory: string; record: RunRecord }> {
  const directory = path.join(await temporaryFolder(), 'it’s a run');
  await writeRun(directory, madeRun(truncation, { samples: 5 }));
  return { directory, record: (await readRecord(directory))! };
}

/** Parses the one command in a text. @returns its words */
async function commandIn(text: string): Promise<string[]> {
  const [words, ...others] = commandsOf(text);
  expect(others).toEqual([]);
  const { written, ran } = await parsed(words!);
  expect({ written, ran: ran?.split(' ')[1] }).toEqual({ written: '', ran: words![0] });
  return words!;
}

const record: RunRecord = {
  format: 2,
  configuration: madeRun(truncation, { samples: 5 }).summary.configuration,
  started_at: '2026-01-02T03:04:05.678Z',
  versions: {},
  git_revision: null,
  machine: { platform: 'made/up', cpu: 'none', cores: 1, memory_gb: 1 },
};
const changed = ({ asked, ...rest }: Partial<RunRecord['configuration']> & { asked?: AskedRecord }): RunRecord => ({
  ...record,
  configuration: { ...record.configuration, ...rest },
  ...(asked && { asked }),
});
const { model, dataset, experiment } = record.configuration;
const commit = 'c'.repeat(40);

it.each([
  ['as it is', changed({}), '--n 5 --seed 1 --dataset made-up --model some/model --max-length 8192 --batch-tokens 512'],
  ['of wanted samples', changed({ asked: { n: 60 } }), '--n 60'],
  [
    'of a table',
    changed({
      dataset: { ...dataset, name: 'my faq.csv', revision: `sha256:${'a'.repeat(64)}` },
      asked: {
        columns: { document: 'the text', query: 'q' },
        separator: '|',
        quoting: 'none',
        header: ['the text', 'q', 'answer'],
      },
    }),
    '--dataset my faq.csv --separator pipe --quoting none --header the text,q,answer --columns document=the text query=q --model',
  ],
  ['of a separator without a name', changed({ asked: { separator: '~' } }), '--separator ~'],
  ['of a tab', changed({ asked: { separator: '\t' } }), '--separator tab'],
  [
    'of data on the hub',
    changed({ dataset: { ...dataset, name: 'ms-marco', revision: commit } }),
    `--dataset ms-marco --dataset-revision ${commit}`,
  ],
  [
    'of a model on the hub',
    changed({ model: { ...model, name: 'lab/model@0123456789ab' } }),
    '--model lab/model@0123456789ab',
  ],
  ['of the built-in model', changed({ model: { ...model, built_in: true } }), '--dataset made-up --max-length'],
  [
    'on a device',
    changed({ model: { ...model, precision: 'float16 on cuda' }, device: 'cuda', control_tokens: 'keep' }),
    '--precision float16 --device cuda',
  ],
  [
    'with arms',
    changed({ experiment: { ...experiment, outcomes: ['recall'], arms: ['machinery'], prompt: 'query' } }),
    '--prompt query --outcomes recall --arms machinery',
  ],
  ['written by the model', changed({ writer: 'self' }), '--writer self'],
  [
    'of a file',
    { ...changed({}), study: { file: 'my study.yaml', digest: 'd', overruled: ['--model'] } },
    'run my study.yaml --n 5 --seed 1 --model some/model',
  ],
])('is a command for a run %s', async (_, one, part) => {
  const words = await commandIn(goOnCommand(one, '/a folder/run'));
  expect(words.join(' ')).toContain(part);
  expect(words.slice(-3)).toEqual(['--out', '/a folder/run', '--resume']);
});

it('takes the plan from the run’s record, and a new run takes it from its file', async () => {
  const planned = { ...record, plan: {} as NonNullable<RunRecord['plan']> };
  expect((await commandIn(goOnCommand(planned, 'a run'))).join(' ')).toContain(' --plan a run/run.json --out a run');
  const words = await commandIn(runCommand(record, './my own.yaml', [['--plan', ['my plan.json']]]));
  expect([words[1], ...words.slice(-2)]).toEqual(['./my own.yaml', '--plan', 'my plan.json']);
});

it('is an import for what was imported', async () => {
  const imported = { file: 'a', digest: 'b', form: 'numbers', recorded_at: null } as const;
  const words = await commandIn(goOnCommand(changed({ imported }), 'run'));
  expect(words.slice(0, 2)).toEqual(['import', 'authors']);
});

it('stands whole in messages about damaged files', async () => {
  const { directory, record: own } = await made();
  const damages: [name: string, content: string | Buffer | undefined, read: () => Promise<unknown>][] = [
    ['trials.jsonl', '{"sample":', () => readRun(directory)],
    ['trials.jsonl.gz', gzipSync('{"packed":1}').subarray(0, -3), () => renewedSummary(directory, true)],
    ['samples.jsonl', '', () => readRun(directory)],
    ['samples.jsonl', undefined, () => readRun(directory)],
    ['summary.json', '{"format":2}', () => readSummary(directory)],
  ];
  for (const [name, content, read] of damages) {
    await writeRun(directory, madeRun(truncation, { samples: 5 }));
    const plain = path.join(directory, name.replace('.gz', ''));
    await rm(plain);
    if (content !== undefined) await writeFile(path.join(directory, name), content);
    const message: string = await read().then(
      () => expect.unreachable(name),
      (error: Error) => error.message,
    );
    const command = goOnCommand(own, directory);
    expect(message, name).toContain(`(${command})`);
    await commandIn(command);
    await rm(path.join(directory, name), { force: true });
  }
  // Who reads files without their folder names the command without options.
  await writeRun(directory, madeRun(truncation, { samples: 5 }));
  await writeFile(path.join(directory, 'samples.jsonl'), '');
  await expect(readSamples(directory, own)).rejects.toThrow('(dkv run --resume)');
  await writeFile(path.join(directory, 'summary.json'), '{"format":2}');
  await expect(findSummary(directory, own)).rejects.toThrow('(dkv run --resume)');
});

it('says in short lines what of a run is another', () => {
  const { configuration } = record;
  const lines = (now: Partial<RunRecord['configuration']>) =>
    changedOptions(configuration, { ...configuration, ...now });
  const { experiment, dataset } = configuration;
  expect(lines({})).toEqual([]);
  expect(lines({ samples: 6, dataset: { ...dataset, digest: 'other' } })).toEqual(['--n: was 5, is 6']);
  const arms = { ...experiment, arms: ['no_document' as const], contrasts: [] };
  expect(lines({ experiment: arms, device: 'cuda' })).toEqual([
    '--device: was not given, is cuda',
    '--arms: was not given, is no_document',
  ]);
  expect(lines({ experiment: { ...experiment, id: 'mine', title: 'Mine', conditions: [] } })).toEqual([
    'experiment.id: was "exp01", is "mine"',
  ]);
  expect(lines({ experiment: { ...experiment, conditions: experiment.conditions.slice(1) } })).toEqual([
    'experiment.conditions: not the same',
  ]);
  expect(lines({ dataset: { ...dataset, digest: 'f'.repeat(64) } })).toEqual([
    expect.stringMatching(/^dataset\.digest: was .*, is "f{59}…$/),
  ]);
});
