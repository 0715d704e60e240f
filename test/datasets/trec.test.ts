import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectRunIds, formatQrels, formatRun, parseQrels, parseRun, readQrels } from '../../src/datasets/trec.js';
import { temporaryFolder } from '../support/fixtures.js';

const id = fc.stringMatching(/^[\w.:-]{1,12}$/);
const table = (value: fc.Arbitrary<number>) =>
  fc
    .uniqueArray(fc.tuple(id, fc.uniqueArray(fc.tuple(id, value), { minLength: 1, selector: ([key]) => key })), {
      selector: ([key]) => key,
    })
    .map((queries) => new Map(queries.map(([qid, documents]) => [qid, new Map(documents)])));

describe('TREC files', () => {
  it('bring runs back to the last bit', () => {
    const score = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
    fc.assert(
      fc.property(table(score), (run) => {
        expect(parseRun(formatRun(run, 'test'), 'run.txt')).toEqual(run);
      }),
    );
  });

  it('bring judgements back', () => {
    fc.assert(
      fc.property(table(fc.integer({ min: -1, max: 3 })), (qrels) => {
        expect(parseQrels(formatQrels(qrels), 'qrels')).toEqual(qrels);
      }),
    );
  });

  it('has the ranks in order', () => {
    const run = new Map([
      [
        'q',
        new Map([
          ['a', -2.5],
          ['b', -0.5],
        ]),
      ],
    ]);
    expect(formatRun(run, 'dkv')).toBe('q Q0 b 1 -0.5 dkv\nq Q0 a 2 -2.5 dkv\n');
  });

  it.each([
    ['q1 Q0 d1 1 0.5\n', 'line 1: expected "qid Q0 docid rank score tag", found "q1 Q0 d1 1 0.5"'],
    ['q1 Q0 d1 1 0.5 t\n\nq1 Q0 d2 2 much t\n', 'line 3: expected'],
    ['q1 Q0 d1 1 0.5 t\nq1 Q0 d1 2 0.4 t\n', 'line 2: d1 stands a second time under query q1'],
  ])('says what is wrong with %j', (text, message) => {
    expect(() => parseRun(text, 'run.txt')).toThrow(`run.txt, ${message}`);
  });

  it('reads BEIR’s judgements by their header', () => {
    const text = 'query-id\tcorpus-id\tscore\r\nq1\td1\t2\r\nq1\td2\t0\r\n';
    expect(parseQrels(text, 'test.tsv')).toEqual(parseQrels('q1 0 d1 2\nq1 0 d2 0\n', 'qrels'));
    expect(() => parseQrels(`${text}q1\td3\tx\n`, 'test.tsv')).toThrow(
      'test.tsv, line 4: expected "query-id corpus-id score", found "q1\td3\tx"',
    );
  });

  it.each(['', 'd 1', 'd\t1', 'd\u00a01', 'd\u20281', 'd\u00851', 'd\u001c1', '\ufeffd1'])(
    'refuses an id that some reader would split: %j',
    (id) => {
      expect(() => expectRunIds(['d2', id])).toThrow(`The id ${JSON.stringify(id)} has white space or is empty`);
    },
  );

  it('refuses ids that a run cannot hold, and makes one word of the tag', () => {
    expect(() => formatRun(new Map([['q', new Map([['d 1', 1]])]]), 'dkv')).toThrow('The id "d 1" has white space');
    expect(formatRun(new Map([['q', new Map([['d', 1]])]]), 'dkv static:What is it?')).toBe(
      'q Q0 d 1 1 dkv_static:What_is_it?\n',
    );
  });

  it('reads whole numbers as grades, however they are written, and refuses others', () => {
    const grades = (grade: string) =>
      parseQrels(`query-id\tcorpus-id\tscore\nq1\td1\t${grade}\n`, 'q').get('q1')!.get('d1');
    expect(['1', '1.0', '+2.00', '-1.0', '-0', '3.'].map(grades)).toEqual([1, 1, 2, -1, 0, 3]);
    for (const grade of ['1', '1.0', '-1.0'])
      expect(parseQrels(`q1 0 d1 ${grade}\n`, 'qrels')).toEqual(new Map([['q1', new Map([['d1', Number(grade)]])]]));
    for (const grade of ['0.5', '1e0', '0x1', 'NaN', '9007199254740993', '1.0.0']) {
      expect(() => parseQrels(`q1 0 d1 ${grade}\n`, 'qrels')).toThrow(
        `qrels, line 1: expected "qid 0 docid grade", found "q1 0 d1 ${grade}". Grades are whole numbers.`,
      );
      expect(() => grades(grade)).toThrow('q, line 2: expected "query-id corpus-id score"');
    }
  });

  it('keeps blanks in BEIR’s ids, and refuses a document that is judged twice', () => {
    const text = 'query-id\tcorpus-id\tscore\nq 1\td 1\t1\n';
    expect(parseQrels(text, 'test.tsv')).toEqual(new Map([['q 1', new Map([['d 1', 1]])]]));
    expect(() => parseQrels(`${text}q 1\td 1\t1\n`, 'test.tsv')).toThrow('line 3: d 1 stands a second time');
    expect(parseQrels(`${text} q 1\td 1 \t0\r\n`, 'test.tsv').get(' q 1')).toEqual(new Map([['d 1 ', 0]]));
  });

  it('reads scores as decimal numbers only', () => {
    for (const score of ['NaN', 'Infinity', '0x10', '1e999', ''])
      expect(() => parseRun(`q1 Q0 d1 1 ${score} t\n`, 'run.txt')).toThrow(
        `run.txt, line 1: expected "qid Q0 docid rank score tag", found "q1 Q0 d1 1 ${score} t". Scores are finite numbers.`,
      );
    expect(parseRun('q1 Q0 d1 1 -1.5E-3 t\n', 'run.txt').get('q1')!.get('d1')).toBe(-0.0015);
  });

  it('reads files without their byte order mark, and refuses bytes that are not UTF-8', async () => {
    const file = path.join(await temporaryFolder(), 'qrels');
    await writeFile(file, '\ufeffquery-id\tcorpus-id\tscore\nq1\td1\t1\n');
    expect(await readQrels(file)).toEqual(new Map([['q1', new Map([['d1', 1]])]]));
    await writeFile(file, Buffer.from('q1 0 d\xe9 1\n', 'latin1'));
    await expect(readQrels(file)).rejects.toMatchObject({ code: 'INPUT_INVALID', message: /not UTF-8/ });
    await expect(readQrels(`${file}-gone`)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
