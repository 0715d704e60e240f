import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isExperimentFile, readExperiment } from '../../src/experiments/declaration/file.js';
import { temporaryFolder } from '../support/fixtures.js';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/experiments');

const SMALL = {
  id: 'small',
  title: 'Small',
  question: 'What?',
  conditions: [{ name: 'bare', visibility: 'full' }],
};

describe('an experiment of one’s own', () => {
  it('is read from YAML and from TypeScript, defaults filled in', async () => {
    const yaml = await readExperiment(path.join(EXAMPLES, 'keywords.yaml'));
    expect(yaml).toMatchObject({ id: 'keywords', prompt: 'query', seed: 42, unit: 'sample' });
    expect(yaml.comparisons).toHaveLength(4);
    const module = await readExperiment(path.join(EXAMPLES, 'masks.ts'));
    expect(module).toMatchObject({ id: 'masks', prompt: 'none' });
    expect(module.conditions.at(-1)).toMatchObject({ blocked: [{ rows: ['separator'], columns: ['prefix'] }] });
  });

  it('may be JSON or a plain module', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'a.json'), JSON.stringify(SMALL));
    await writeFile(path.join(folder, 'b.mjs'), `export default ${JSON.stringify(SMALL)}`);
    expect(await readExperiment(path.join(folder, 'a.json'))).toEqual(await readExperiment(path.join(folder, 'b.mjs')));
  });

  it('names its data and model from its own folder, in YAML and in TypeScript', async () => {
    const yaml = await readExperiment(path.join(EXAMPLES, 'study.yaml'));
    expect(yaml.data).toEqual({
      dataset: path.join(EXAMPLES, 'ads.csv'),
      columns: { id: 'sku', document: 'text', query: 'question', answer: 'reply' },
    });
    const module = await readExperiment(path.relative('.', path.join(EXAMPLES, 'functions.ts')));
    expect(module.data).toEqual(yaml.data);
    expect([...module.functions!.keys()]).toEqual([
      expect.stringMatching(/^function:longestOfQuestion@/),
      expect.stringMatching(/^document_function:longest of document@/),
    ]);
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'models/mine'), { recursive: true });
    const read = async (data: unknown, model?: string) => {
      await writeFile(path.join(folder, 'own.json'), JSON.stringify({ ...SMALL, data, model }));
      const { data: found, model: named } = await readExperiment(path.join(folder, 'own.json'));
      return [found?.dataset, named];
    };
    expect(await read({ dataset: 'adworld' }, 'models/mine')).toEqual(['adworld', path.join(folder, 'models/mine')]);
    expect(await read({ dataset: 'beir:sets/a' }, 'google/flan-t5-base@main')).toEqual([
      `beir:${path.join(folder, 'sets/a')}`,
      'google/flan-t5-base@main',
    ]);
    expect(await read({ dataset: '../squad.json.gz' }, './tiny')).toEqual([
      path.resolve(folder, '../squad.json.gz'),
      path.join(folder, 'tiny'),
    ]);
    const address = 'hf://datasets/a/b/c.parquet';
    expect(await read({ dataset: address }, '/models/tiny')).toEqual([address, '/models/tiny']);
    expect(await read(undefined)).toEqual([undefined, undefined]);
  });

  it('is known by its ending', () => {
    expect(['exp01', 'v4-01', 'mine.yaml', './a/b.ts', 'x.csv'].map(isExperimentFile)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['no.yaml', undefined, 'no such file'],
    ['broken.yaml', 'id: [', 'cannot be read as an experiment'],
    ['latin.yaml', Buffer.from('title: Café', 'latin1'), 'iconv -f ISO-8859-1'],
    ['twice.yaml', 'id: a\nid: b', 'Map keys must be unique'],
    ['twice.json', '{"id": "a", "id": "b"}', 'Map keys must be unique'],
    ['list.yaml', '- id: a', 'The experiment is not well formed'],
    ['empty.yaml', '', 'holds no experiment'],
    ['throws.ts', 'throw new Error("out of order")', 'out of order'],
    ['nothing.ts', 'export const a = 1;', 'not well formed'],
    ['role.json', JSON.stringify({ ...SMALL, data: { dataset: 'a.csv', columns: { text: 'body' } } }), 'data.columns'],
    ['separator.json', JSON.stringify({ ...SMALL, data: { dataset: 'a.csv', separator: '::' } }), 'comma, semicolon'],
    ['data.json', JSON.stringify({ ...SMALL, data: 'a.csv' }), 'data'],
    ['model.json', JSON.stringify({ ...SMALL, model: '' }), 'model'],
    ['functions.json', JSON.stringify({ ...SMALL, functions: {} }), 'functions'],
    [
      'function.json',
      JSON.stringify({
        ...SMALL,
        conditions: [{ name: 'a', visibility: 'full', surrogate: `function:x@${'0'.repeat(16)}` }],
      }),
      'The surrogate function "x" is not here: functions stand in a module',
    ],
    ['wrong.json', '{"id": "a", "title": "A", "question": "Q"}', 'conditions'],
  ])('is refused with the reason: %s', async (name, content, message) => {
    const file = path.join(await temporaryFolder(), name);
    if (content !== undefined) await writeFile(file, content);
    await expect(readExperiment(file)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining(message),
    });
  });
});
