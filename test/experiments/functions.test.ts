/** Functions as surrogates: their names in a record, what they are given, what a run makes of what they give. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defineExperiment } from '../../src/experiments/declaration/define.js';
import type { RunOptions } from '../../src/experiments/run/options.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { surrogate } from '../../src/priming/surrogate.js';
import type { DeclaredFunction, DocumentOfSample } from '../../src/priming/surrogate-function.js';
import { isDeployable } from '../../src/report/words/labels.js';
import { readRecord } from '../../src/runs/record.js';
import { isTrial } from '../../src/runs/schema/entry.js';
import { datasetOf } from '../../src/samples/dataset.js';
import type { Sample } from '../../src/samples/sample.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';

const SAMPLES: Sample[] = ['lamp', 'desk', 'chair', 'kettle', 'clock', 'tent'].map((name, i) => ({
  id: name,
  document: `The ${name} costs ${i + 3} euros.`,
  query: `How much is the ${name}?`,
  answer: `${i + 3} euros`,
  columns: { maker: `Lumen ${i}` },
}));
const data = datasetOf({ name: 'shop', revision: '1', licence: 'Apache-2.0', selection: 'all' }, SAMPLES);

const study = (functions: Readonly<Record<string, DeclaredFunction>>) =>
  defineExperiment({
    id: 'functions',
    title: 'Functions',
    question: 'What does a function gain?',
    conditions: [
      { name: 'bare', visibility: 'exact' },
      ...Object.entries(functions).map(([name, own]) => ({ name, surrogate: own, visibility: 'exact' as const })),
    ],
    comparisons: Object.keys(functions).map((treatment) => ({ treatment, baseline: 'bare' })),
  });

let model: Model;
beforeAll(async () => {
  model = await loadModel(referenceFixture('text'));
});
afterAll(() => model.close());

const run = async (functions: Readonly<Record<string, DeclaredFunction>>, options: Partial<RunOptions> = {}) => {
  const directory = options.directory ?? (await temporaryFolder());
  const asked = { directory, resume: false, maxTokens: 512, ...options };
  return { directory, summary: await runExperiment(study(functions), data, model, asked) };
};

const prefixes = async (directory: string, condition: string) =>
  (await entriesIn(directory))
    .filter(isTrial)
    .flatMap((trial) => (trial.condition === condition ? [trial.prefix] : []));

async function reversed({ query }: Sample): Promise<string> {
  return query.split(' ').reverse().join(' ');
}

describe('a surrogate function', () => {
  it('is recorded by its name and a digest of its source', () => {
    const { conditions, functions } = study({
      named: reversed,
      inline: ({ document }) => document,
      beforehand: { of: 'document', make: ({ document }) => document },
    });
    const [named, inline, beforehand] = conditions.slice(1).map((condition) => condition.surrogate!);
    expect(named).toMatch(/^function:reversed@[0-9a-f]{16}$/);
    expect(inline).toMatch(/^function:inline@[0-9a-f]{16}$/);
    expect(beforehand).toMatch(/^document_function:beforehand@[0-9a-f]{16}$/);
    expect([...functions!.keys()]).toEqual([named, inline, beforehand]);
    expect(surrogate(named!)).toMatchObject({ needsQuery: true, sources: ['function'], preparations: [], columns: [] });
    expect(surrogate(named!).about).toBe('the experiment\'s function "reversed"');
    expect(surrogate(beforehand!).needsQuery).toBe(false);
    const other = study({ named: ({ query }: Sample) => query.trim() }).conditions[1]!.surrogate;
    expect(other).not.toBe(named);
  });

  it('stays with an experiment that is defined again, and is no part of its record', async () => {
    const once = study({ named: reversed });
    expect(defineExperiment(once)).toEqual(once);
    expect(() => defineExperiment({ ...once, functions: undefined } as typeof once)).toThrow(
      'The surrogate function "reversed" is not here',
    );
  });

  it('that a record could not tell from another, or could not name, is refused', () => {
    const repeated = (times: number) => {
      const words = ({ query }: Sample) => query.repeat(times);
      return words;
    };
    const one = repeated(1);
    expect(study({ a: one, b: one }).functions).toHaveLength(1);
    expect(() => study({ a: one, b: repeated(2) })).toThrow('Two surrogate functions are called "words"');
    expect(() => study({ a: reversed.bind(null) })).toThrow('is bound or built in, and has no source');
  });

  it('is called for every sample, and a trial holds what it gave', async () => {
    const given: DocumentOfSample[] = [];
    const { directory, summary } = await run({
      reversed,
      beforehand: {
        of: 'document',
        make: (document) => {
          given.push(document);
          return `by ${document.columns!.maker}`;
        },
      },
    });
    expect(summary.samples.scored).toBe(6);
    expect(await prefixes(directory, 'reversed')).toEqual(
      SAMPLES.map(({ query }) => query.split(' ').reverse().join(' ')),
    );
    expect(await prefixes(directory, 'beforehand')).toEqual(SAMPLES.map(({ columns }) => `by ${columns!.maker}`));
    expect(given).toEqual(SAMPLES.map(({ id, document, columns }) => ({ id, document, columns })));
    const { experiment } = summary.configuration;
    expect([isDeployable(experiment, 'reversed'), isDeployable(experiment, 'beforehand')]).toEqual([false, true]);
    const record = await readRecord(directory);
    expect(record!.configuration.experiment).toEqual(experiment);
    expect(Object.keys(experiment)).not.toContain('functions');
  });

  it('that throws rejects the sample with the reason, and so does an empty text', async () => {
    const { summary } = await run({
      odd: ({ id, document }) => {
        if (id === 'desk') throw new Error('no maker is known');
        return id === 'tent' ? ' ' : document;
      },
    });
    expect(summary.samples).toMatchObject({
      scored: 4,
      rejected: [
        { sample: 'desk', rejected: 'The surrogate function "odd" threw for desk: no maker is known' },
        { sample: 'tent', rejected: 'The surrogate function "odd" gave an empty text for tent.' },
      ],
    });
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [12, 'a value of type number'],
    [['a'], 'a list'],
  ])('that gives %j ends the run by name, before anything is in the folder', async (value, what) => {
    const wrong = (({ id }: Sample) => (id === 'chair' ? value : 'text')) as () => string;
    const directory = await temporaryFolder();
    await expect(run({ wrong }, { directory })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(`"wrong" gave ${what} for chair, and a string was expected`),
    });
    expect(await readRecord(directory)).toBeUndefined();
    await expect(run({ wrong: () => 'mended' }, { directory })).resolves.toMatchObject({ summary: {} });
  });

  it('is the same when a run goes on, by its source and by what it gives', async () => {
    let tail = '';
    const before = { kept: ({ document }: Sample) => `${document}${tail}` };
    const { directory } = await run(before);
    await expect(run(before, { directory, resume: true })).resolves.toMatchObject({ directory });
    await expect(run({ kept: ({ query }) => query }, { directory, resume: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(
        /conditions\.1\.surrogate: was "function:kept@[0-9a-f]+…?"?, is "function:kept@[0-9a-f]+/,
      ),
    });
    tail = ', once more';
    await expect(run(before, { directory, resume: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringContaining('trials of lamp with another text of the surrogate function "kept"'),
    });
    const { directory: hidden } = await run(before, { noText: true });
    expect(await readFile(path.join(hidden, 'trials.jsonl'), 'utf8')).not.toContain('once more');
    await expect(run(before, { directory: hidden, resume: true })).resolves.toMatchObject({ directory: hidden });
    tail = '';
    await expect(run(before, { directory: hidden, resume: true })).rejects.toMatchObject({ code: 'RUN_MISMATCH' });
  });

  it('that threw and gives a text when the run goes on is another function, as the other way round', async () => {
    let broken = true;
    const mended = {
      odd: ({ id, document }: Sample) => {
        if (broken && id === 'desk') throw new Error('no maker is known');
        return document;
      },
    };
    const { directory, summary } = await run(mended);
    expect(summary.samples.rejected).toHaveLength(1);
    broken = false;
    await expect(run(mended, { directory, resume: true })).rejects.toMatchObject({
      code: 'RUN_MISMATCH',
      message: expect.stringMatching(/the rejection of desk .*function "odd", and now it gives one.*remove the line/),
    });
    const journal = path.join(directory, 'trials.jsonl');
    const lines = (await readFile(journal, 'utf8')).split(/(?<=\n)/);
    await writeFile(journal, lines.filter((line) => !line.includes('no maker is known')).join(''));
    const again = await run(mended, { directory, resume: true });
    expect(again.summary.samples).toMatchObject({ scored: 6, rejected: [] });
    broken = true;
    await expect(run(mended, { directory, resume: true })).rejects.toMatchObject({ code: 'RUN_MISMATCH' });
  });

  it('stops with the run', async () => {
    const stop = new AbortController();
    const slow = async ({ id }: Sample) => {
      if (id === 'desk') stop.abort();
      return 'text';
    };
    await expect(run({ slow }, { signal: stop.signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
