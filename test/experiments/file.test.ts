import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { isExperimentFile, readExperiment } from '../../src/experiments/declaration/file.js';
import { temporaryFolder } from '../support/fixtures.js';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples/experiments');

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
    const declaration = {
      id: 'small',
      title: 'Small',
      question: 'What?',
      conditions: [{ name: 'bare', visibility: 'full' }],
    };
    await writeFile(path.join(folder, 'a.json'), JSON.stringify(declaration));
    await writeFile(path.join(folder, 'b.mjs'), `export default ${JSON.stringify(declaration)}`);
    expect(await readExperiment(path.join(folder, 'a.json'))).toEqual(await readExperiment(path.join(folder, 'b.mjs')));
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
