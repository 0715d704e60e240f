import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/datasets/open.js';
import { temporaryFolder } from '../support/fixtures.js';

const question = (id: string, text: string | null) => ({
  id,
  question: `What is ${id}?`,
  answers:
    text === null
      ? []
      : [
          { text, answer_start: 0 },
          { text: 'another', answer_start: 1 },
        ],
});

async function squadFile(content: unknown): Promise<string> {
  const file = path.join(await temporaryFolder(), 'questions.json');
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const THREE = {
  version: '1.1',
  data: [
    {
      title: 'a',
      paragraphs: [{ context: 'A.', qas: [question('a1', 'one'), question('a2', 'two'), question('a3', 'three')] }],
    },
    {
      title: 'b',
      paragraphs: [
        { context: 'B.', qas: [question('b1', 'four')] },
        { context: 'C.', qas: [question('c1', null), question('c2', 'six')] },
      ],
    },
  ],
};

describe('a dataset in SQuAD form', () => {
  it('gives a question of every paragraph before a second of any, and the first answer', async () => {
    const { name, revision, samples } = await openDataset(await squadFile(THREE), { seed: 1, count: 4 });
    expect([name, revision]).toEqual(['questions.json', '1.1']);
    expect(new Set(samples.slice(0, 3).map(({ document }) => document))).toEqual(new Set(['A.', 'B.', 'C.']));
    expect(samples).toHaveLength(4);
    expect(samples[3]!.document).toBe('A.');
    expect(samples.find(({ id }) => id === 'c2')).toEqual({
      id: 'c2',
      document: 'C.',
      query: 'What is c2?',
      answer: 'six',
      cluster: expect.stringMatching(/^paragraph-/),
    });
    expect(samples.some(({ id }) => id === 'c1')).toBe(false);
  });

  it('is the same for a seed, the beginning of a larger choice, and another for another seed', async () => {
    const file = await squadFile(THREE);
    const ids = async (seed: number, count: number) =>
      (await openDataset(file, { seed, count })).samples.map(({ id }) => id);
    expect(await ids(1, 5)).toEqual(await ids(1, 5));
    expect(await ids(1, 2)).toEqual((await ids(1, 5)).slice(0, 2));
    const orders = new Set(await Promise.all([1, 2, 3, 4, 5, 6].map(async (seed) => (await ids(seed, 5)).join())));
    expect(orders.size).toBeGreaterThan(1);
  });

  it('gives short answers alone when asked for factoids', async () => {
    const long = structuredClone(THREE);
    long.data[0]!.paragraphs[0]!.qas[0]!.answers = [{ text: 'one two three four five six', answer_start: 0 }];
    const { samples, selection } = await openDataset(await squadFile(long), { seed: 1, count: 9, rule: 'factoid' });
    expect(samples.map(({ id }) => id).sort()).toEqual(['a2', 'a3', 'b1', 'c2']);
    expect(selection).toContain('of five words at most');
  });

  it('keeps a question whose answer is empty, which a run rejects', async () => {
    const empty = structuredClone(THREE);
    empty.data[1]!.paragraphs[0]!.qas = [question('b1', '')];
    const { samples } = await openDataset(await squadFile(empty), { seed: 1, count: 3 });
    expect(samples.find(({ id }) => id === 'b1')?.answer).toBe('');
  });

  it('pads with paragraphs that have no sample', async () => {
    const { samples, padding } = await openDataset(await squadFile(THREE), { seed: 1, count: 1, padding: 2 });
    expect([...padding, samples[0]!.document].sort()).toEqual(['A.', 'B.', 'C.']);
  });

  it('takes all there are when fewer than asked for', async () => {
    expect((await openDataset(await squadFile(THREE), { seed: 1, count: 100 })).samples).toHaveLength(5);
  });

  it.each([
    ['{"data": [', /not JSON/],
    [{ data: [{ paragraphs: [{ context: 1 }] }] }, /SQuAD's form.*context/],
    [{ rows: [] }, /SQuAD's form/],
  ])('says what is wrong with %j', async (content, message) => {
    await expect(openDataset(await squadFile(content), { seed: 1, count: 1 })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
    });
  });

  it('names what can be given', async () => {
    await expect(openDataset('squad', { seed: 1, count: 1 })).rejects.toThrow('Expected adworld, ms-marco,');
    await expect(openDataset('none.json', { seed: 1, count: 1 })).rejects.toThrow('none.json: no such file');
  });
});
