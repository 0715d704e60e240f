/** The text banks: what their files hold fits the rules of the categories, a file of another form is refused with its line, and one of another text by its name. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { banked, readBank, templates, texts, words } from '../../src/adworld/banks/bank.js';
import { ADWORLD_DIGESTS } from '../../src/adworld/banks/digests.js';
import { FACT_NAMES } from '../../src/adworld/banks/facts.js';
import { BANKS_FOLDER } from '../../src/adworld/banks/file.js';
import { readItems } from '../../src/adworld/banks/items.js';
import { parseOutline } from '../../src/adworld/banks/outline.js';
import { categories } from '../../src/adworld/categories/all.js';
import { DkvError } from '../../src/base/errors.js';
import { digestsOfFiles } from '../../tools/adworld/files.js';
import { temporaryFolder } from '../support/fixtures.js';

const outline = (...lines: readonly string[]) => parseOutline(lines.join('\n'));

describe('an outline', () => {
  it('is sections of sections down to entries, in order, whatever stands before the first', () => {
    const { outline: read, lineAt } = outline(
      ...['# Title', 'for readers', '', '## b', '### x', '- Price: {value} - now ', '-  two', '', '### a', '- 1'],
      ...['## a\r', '- # no heading\r'],
    );
    expect(read).toEqual({ b: { x: ['Price: {value} - now', 'two'], a: ['1'] }, a: ['# no heading'] });
    expect(Object.keys(read)).toEqual(['b', 'a']);
    expect([['b', 'x', 1], ['b', 'x', 9], ['b', 'lost'], ['a', 0], []].map(lineAt)).toEqual([7, 5, 4, 12, 1]);
  });

  it.each([
    ['an entry before any section', ['# T', 'text', '- a'], 'line 3: an entry stands before the first heading'],
    ['a line that is neither', ['## a', 'no dash'], 'line 2: expected a heading (##) or an entry'],
    ['a title further down', ['## a', '- 1', '# b'], 'line 3: expected a heading (##) or an entry'],
    ['nothing', [''], 'line 1: expected headings (##) with entries, found none in the whole file'],
    ['a title alone', ['# T', 'text'], 'line 1: expected headings (##)'],
    ['marks without a space', ['## a', '##b'], 'line 2: expected a heading (##) or an entry'],
    ['a level left out', ['## a', '#### b'], 'line 2: the heading is more than one level below'],
    ['a heading twice', ['## a', '- 1', '## b', '- 1', '## a'], 'line 5: the heading "a" stands in line 1 already'],
    [
      'entries beside headings',
      ['## a', '### b', '- 1', '## c', '- 1', '### d'],
      'line 6: a heading stands beside entries',
    ],
  ])('refuses %s', (_, lines, message) => {
    expect(() => outline(...lines)).toThrow(message);
  });
});

describe('a bank of another form', () => {
  const sentences = templates({ allowed: ['value', 'item'], needed: ['value'] });
  const schema = z.strictObject({ price: banked(z.strictObject({ say: sentences })), units: words });
  const good = [
    '# T',
    '## price',
    '### train',
    '#### say',
    '- {Value} now',
    '### evaluation',
    '#### say',
    '- {a value}',
  ];
  const read = async (...lines: readonly string[]) => {
    const folder = await temporaryFolder();
    writeFileSync(path.join(folder, 'money.md'), lines.join('\n'));
    return () => readBank('money', schema, { folder });
  };

  it('is not this one', async () => {
    expect((await read(...good, '## units', '- a b', '- c'))()).toEqual({
      price: { train: { say: ['{Value} now'] }, evaluation: { say: ['{a value}'] } },
      units: ['a', 'b', 'c'],
    });
  });

  it.each([
    ['a section that is not there', good, 'money.md, line 1: units: expected a list, found nothing'],
    ['a section too many', [...good, '## units', '- a', '## unit', '- a'], 'line 1: unknown field "unit"'],
    ['an empty section', [...good, '## units'], 'line 9: units: expected at least 1 entry, found an empty list'],
    [
      'entries where sections are due',
      ['## price', '- {value}', '## units', '- a'],
      'line 1: price: expected an object',
    ],
    [
      'a sentence twice',
      [...good, '- {item}: {value}', '- {item}: {value}'],
      'line 10: price.evaluation.say.2: "{item}: {value}" stands there twice',
    ],
    [
      'an unknown slot',
      [...good, '- {value} {itm}'],
      'line 9: price.evaluation.say.1: "{value} {itm}" has the slot {itm}, and its slots may be {value}, {item}',
    ],
    [
      'a slot that is missing',
      [...good, '- only {item}'],
      'line 9: price.evaluation.say.1: "only {item}" lacks the slot {value}',
    ],
    [
      'half a slot',
      [...good, '- {value} item}'],
      'line 9: price.evaluation.say.1: "{value} item}" has a brace without its other half',
    ],
    ['a line without its dash', [...good, 'The price is {value}.'], 'line 9: expected a heading (##) or an entry'],
  ])('names file and line of %s', async (_, lines, message) => {
    const reading = await read(...lines);
    expect(reading).toThrow(DkvError);
    expect(reading).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(message) }),
    );
  });

  it('says what to do when its file is not there', async () => {
    const folder = await temporaryFolder();
    expect(() => readBank('lost', texts, { folder })).toThrow(
      expect.objectContaining({
        code: 'FILES_UNUSABLE',
        message: expect.stringContaining('lost.md: there is no such file'),
      }),
    );
  });
});

describe('items', () => {
  const read = async (...lines: readonly string[]) => {
    const folder = await temporaryFolder();
    mkdirSync(path.join(folder, 'items'));
    writeFileSync(path.join(folder, 'items/goods.md'), ['# Goods', '## lamps', ...lines].join('\n'));
    return () => readItems('goods', ['lamps'], { folder });
  };

  it('have the fields of their section, of those that share it, and of every item', async () => {
    const items = await read(
      ...['### every item', '- users: cats, dogs', '- price: 1 to 2'],
      ...[
        '### floor lamp, desk lamp',
        '- price: 10 to 20',
        '- centimeters: 1 to 2 x 3 to 4',
        '### candle',
        '- users: all',
      ],
    );
    const lamp = {
      price: [10, 20],
      centimeters: [
        [1, 2],
        [3, 4],
      ],
      users: ['cats', 'dogs'],
    };
    expect(items().lamps).toEqual([
      { noun: 'floor lamp', ...lamp },
      { noun: 'desk lamp', ...lamp },
      { noun: 'candle', price: [1, 2], users: ['all'] },
    ]);
  });

  it.each([
    [
      'no range',
      ['### lamp', '- price: 29-240'],
      'goods.md, line 3: lamps.lamp.price: expected a range such as 10 to 20',
    ],
    ['no price', ['### lamp', '- grams: 1 to 2'], 'line 3: lamps.lamp.price: expected text, found nothing'],
    [
      'an unknown field',
      ['### lamp', '- price: 1 to 2', '- colour: red'],
      'line 3: lamps.lamp: unknown field "colour"',
    ],
    [
      'a field twice',
      ['### lamp', '- price: 1 to 2', '- price: 2 to 3'],
      'line 5: lamps.lamp.1: the field price stands',
    ],
    [
      'an unknown category',
      ['### lamp', '- price: 1 to 2', '## lmps', '### lamp', '- price: 1 to 2'],
      'unknown field "lmps"',
    ],
    ['no field', ['### lamp', '- price: 1 to 2', '- red'], 'line 5: lamps.lamp.1: expected a field and its value'],
  ])('refuse %s', async (_, lines, message) => {
    expect(await read(...lines)).toThrow(message);
  });
});

it('a category without items is missed', async () => {
  const folder = await temporaryFolder();
  mkdirSync(path.join(folder, 'items'));
  writeFileSync(path.join(folder, 'items/goods.md'), '## lamps\n### lamp\n- price: 1 to 2\n');
  expect(() => readItems('goods', ['lamps', 'desks'], { folder })).toThrow(
    'line 1: desks: expected an object, found nothing',
  );
});

describe('the banks that there are', () => {
  const anything = z.unknown();
  /** A copy of one of them with its bytes changed, read as the package's own is. */
  const readChanged = async (name: string, change: (bytes: Buffer) => Buffer | string) => {
    const folder = await temporaryFolder();
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, `${name}.md`), change(readFileSync(path.join(BANKS_FOLDER, `${name}.md`))));
    return () => readBank(name, anything, { folder, digests: ADWORLD_DIGESTS });
  };

  it('are the texts of the digests: after an edit run npx tsx tools/adworld/digests.ts', () => {
    expect(digestsOfFiles()).toEqual(ADWORLD_DIGESTS);
  });

  it.each([
    ['an entry too many', (text: string) => `${text}- cafe\n`],
    ['the last lines cut off', (text: string) => text.split('\n').slice(0, -4).join('\n')],
    ['two entries in the other order', (text: string) => text.replace(/^(- .*\n)(- .*\n)/m, '$2$1')],
  ])('are refused with %s', async (_, change) => {
    expect(await readChanged('names', (bytes) => change(bytes.toString()))).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringMatching(
          /names\.md is not the text that AdWorld's version \d+ is made of\. .*install directed-kvcache again.*npx tsx tools\/adworld\/digests\.ts/,
        ),
      }),
    );
  });

  it('are refused with their line when they are not UTF-8', async () => {
    const latin1 = await readChanged('names', (bytes) =>
      Buffer.concat([bytes, Buffer.from('- caf\xe9\n- b\n', 'latin1')]),
    );
    const line = readFileSync(path.join(BANKS_FOLDER, 'names.md'), 'utf8').split('\n').length;
    expect(latin1).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(
          `names.md, line ${line}: expected UTF-8, found other bytes. It is part of the package`,
        ),
      }),
    );
  });

  it('are refused when they have no digest', async () => {
    const folder = await temporaryFolder();
    writeFileSync(path.join(folder, 'more.md'), '## a\n- b\n');
    expect(() => readBank('more', anything, { folder, digests: ADWORLD_DIGESTS })).toThrow('is not the text');
  });

  it.each([
    ['line ends of Windows', (text: string) => text.replaceAll(/\r?\n/g, '\r\n')],
    ['a byte order mark', (text: string) => `\ufeff${text}`],
  ])('are the same with %s', async (_, change) => {
    // One with characters of several bytes.
    for (const name of ['names', 'values', 'items/goods']) {
      const read = readBank(name, anything);
      expect((await readChanged(name, (bytes) => change(bytes.toString())))()).toEqual(read);
    }
  });

  it('word every kind of fact that a category has, and no other', () => {
    const planned = categories().flatMap(({ plans }) => plans.map(({ fact }) => fact));
    expect([...new Set(planned)].sort()).toEqual([...FACT_NAMES].sort());
  });
});
