import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitWords } from '../../src/base/words.js';
import { COMMON_WORDS } from '../../src/priming/common-words.js';
import { keywords } from '../../src/priming/keywords.js';
import { type SurrogateContext, surrogate, surrogateForms, surrogateSchema } from '../../src/priming/surrogate.js';
import { splitList } from '../../src/priming/surrogate-form.js';

const sample = {
  id: 's',
  document: 'The lamp is green. The green lamp costs 24 euros, and the shade of the lamp is small.',
  query: 'How much does the green lamp cost?',
  answer: '24 euros',
  title: ' Green lamp ',
};
const partner = { ...sample, id: 'p', document: 'Fresh bread every morning from our oven, and cakes.' };
const countTokens = (text: string) => splitWords(text).length;
const context = { index: 0, samples: [sample, partner], seed: 42, countTokens };
const made = (specification: string, changes = {}, given: Partial<SurrogateContext> = {}) =>
  surrogate(specification).make({ ...sample, ...changes }, { ...context, ...given });

describe('surrogates', () => {
  it('says how a comma in a text is written, where a text was cut at one', () => {
    const hint = 'There is no surrogate "b"';
    expect(() => surrogate('join(column:x, static:a, b)')).toThrow(hint);
    expect(() => surrogate('join(column:x, static:a, b)')).toThrow(
      'A comma in a text inside join(...) is written "\\,".',
    );
    expect(() => surrogate('b')).toThrow(/repeated\.$/);
  });

  it.each([
    ['oracle', sample.query],
    ['para', 'cost lamp green'],
    ['doc_kw', 'lamp green costs euros shade'],
    ['kw1', 'lamp'],
    ['kw2', 'lamp green'],
    ['template', 'What is lamp?'],
    ['lead', 'The lamp is green.'],
    ['lead_full', 'The lamp is green.'],
    ['title', 'Green lamp'],
    ['query_kw', 'green lamp cost'],
    ['random_kw_matched', 'Fresh bread every'],
    ['wrong_kw2', 'fresh bread'],
    ['the_matched2', 'the the the the the the the the the the the the the the'],
    ['static:What are the key facts?', 'What are the key facts?'],
    ['random3', 'Fresh bread every'],
    ['random20', partner.document],
    ['random_matched', 'Fresh bread every morning from our oven,'],
    // The words that the research's experiment 09 drew for its first sample.
    ['common_words8', 'creative exchange platform military involved pleasant standard learning'],
    ['kw1*3', 'lamp lamp lamp'],
    ['static:the*query', 'the the the the the the the'],
    ['static:24: yes*2', '24: yes 24: yes'],
  ])('%s', (specification, text) => {
    expect(made(specification)).toBe(text);
  });

  it('scrambles the words of a query by its place, as numpy does', () => {
    // numpy.random.RandomState(42).shuffle
    expect(made('scrambled')).toBe('How much lamp does green the cost?');
    const next = surrogate('scrambled').make(sample, { ...context, index: 1 });
    expect(next).not.toBe(made('scrambled'));
    expect(next.split(' ').sort()).toEqual(sample.query.split(' ').sort());
  });

  it('draws common words by the sample’s place, as numpy does', () => {
    const { choices }: { choices: { seed: number; size: number; chosen: string }[] } = JSON.parse(
      readFileSync(new URL('../fixtures/numpy-random.json', import.meta.url), 'utf8'),
    );
    expect([COMMON_WORDS.length, new Set(COMMON_WORDS).size]).toEqual([102, 102]);
    expect(COMMON_WORDS.filter((word) => !/^[a-z]{8}$/.test(word))).toEqual([]);
    for (const index of [0, 1, 499]) {
      const { chosen } = choices.find(({ seed, size }) => seed === 20_042 + index && size === COMMON_WORDS.length)!;
      const words = chosen.split(' ').map((place) => COMMON_WORDS[Number(place)]);
      expect(made('common_words8', {}, { index })).toBe(words.join(' '));
    }
    // Of all 500 that the research's Python draws from its own list.
    const all = Array.from({ length: 500 }, (_, index) => made('common_words8', {}, { index }));
    expect(createHash('sha256').update(all.join('\n')).digest('hex')).toBe(
      'fa49a84b127069ad473402ba77823ae1a07255b02b7ef109b1fa908054773957',
    );
    expect(made('common_words102').split(' ').sort()).toEqual([...COMMON_WORDS].sort());
    expect(() => surrogate('common_words103')).toThrow('the number in it may be up to 102');
  });

  it('borrows from the sample half the list further on', () => {
    const samples = ['a', 'b', 'c', 'd', 'e'].map((word) => ({ ...sample, document: word }));
    const borrowed = samples.map((one, index) => surrogate('random1').make(one, { index, samples, seed: 0 }));
    expect(borrowed).toEqual(['c', 'd', 'e', 'a', 'b']);
  });

  it('have their fallbacks', () => {
    expect(made('para', { query: 'What is it?' })).toBe('What is it?');
    expect(made('doc_kw', { document: 'It is on.' })).toBe('information');
    expect(made('kw10', { document: 'It is on.' })).toBe('information');
    expect(made('template', { document: 'It is on.' })).toBe('What is this about?');
    expect(made('query_kw', { query: 'What is it?' })).toBe('What is it?');
    expect(made('random_kw_matched', { query: 'What is it?' })).toBe('Fresh bread every');
    const noWords = { samples: [sample, { ...partner, document: 'It is on.' }] };
    expect(made('wrong_kw5', {}, noWords)).toBe('information');
  });

  it('refuse a sample without a title, by name', () => {
    for (const title of [undefined, ' ']) {
      expect(() => made('title', { title })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining('s has no title') }),
      );
    }
  });

  it('keep all of a first sentence when asked to', () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`).join(' ');
    expect(made('lead_full', { document: `${words}! More.` })).toBe(`${words}!`);
  });

  it('reach the token count of the repeated query, whatever a word costs', () => {
    // "the" costs three tokens and each further one two: 7 words of query, five times, are 35 tokens.
    const costly = (text: string) =>
      text.startsWith('the') ? 1 + 2 * splitWords(text).length : splitWords(text).length;
    const text = made('the_matched5', {}, { countTokens: costly });
    expect(text).toBe(Array(17).fill('the').join(' '));
    expect(costly(text)).toBe(35);
  });

  it('repeat a word no oftener than its tokens take', () => {
    const costs = fc.record({ first: fc.integer({ min: 0, max: 3 }), each: fc.integer({ min: 1, max: 3 }) });
    fc.assert(
      fc.property(costs, fc.integer({ min: 1, max: 20 }), ({ first, each }, times) => {
        const tokens = (words: number) => first + each * words;
        const target = tokens(7 * times);
        const cost = (text: string) => (text.startsWith('the') ? 0 : first) + each * splitWords(text).length;
        const words = splitWords(made(`the_matched${times}`, {}, { countTokens: cost })).length;
        expect(each * words).toBeGreaterThanOrEqual(target);
        expect(each * (words - 1)).toBeLessThan(target);
      }),
    );
  });

  it('take a column of the data as it is, and refuse a sample that has nothing there by name', () => {
    const columns = { 'buyer.need': ' a lamp for the desk\n', N: 'three' };
    expect(made('column:buyer.need', { columns })).toBe('a lamp for the desk');
    expect(made('column:N*2', { columns })).toBe('three three');
    expect(surrogate('join(column:N, column:buyer.need, column:N)').columns).toEqual(['N', 'buyer.need']);
    for (const without of [undefined, {}, { need: '  ' }]) {
      expect(() => made('join(doc_kw, column:need)', { columns: without })).toThrow(
        expect.objectContaining({ code: 'INPUT_INVALID', message: 's has nothing in the column "need".' }),
      );
    }
  });

  it.each([
    ['join(title, doc_kw)', 'Green lamp lamp green costs euros shade'],
    ['join(title,doc_kw)*2', 'Green lamp lamp green costs euros shade Green lamp lamp green costs euros shade'],
    ['join( kw1*2 , static:| , join(title, kw2)*2 )', 'lamp lamp | Green lamp lamp green Green lamp lamp green'],
    ['join(static:price (in EUR), kw1)', 'price (in EUR) lamp'],
    [
      String.raw`join(static:When\, and how \(soon?, join(kw1, static:a \\ \b\)))`,
      String.raw`When, and how (soon? lamp a \ \b)`,
    ],
    ['join(title, scramble(static:same))*query', Array(7).fill('Green lamp same').join(' ')],
  ])('are joined by a blank: %s', (specification, text) => {
    expect(made(specification)).toBe(text);
  });

  it('say of joined ones what all their parts need and are made of', () => {
    const joined = surrogate('join(doc_kw, random5, join(title, static:a))');
    expect(joined).toMatchObject({ needsQuery: false, sources: ['document', 'other', 'constant'] });
    expect(joined.about).toContain("the document's five most frequent keywords + another document's first 5 words + ");
    expect(surrogate('join(doc_kw, oracle)').needsQuery).toBe(true);
    expect(surrogate('join(doc_kw*query, title)').needsQuery).toBe(true);
  });

  it.each([
    ['join(title, nothing)', 13, 'There is no surrogate "nothing"'],
    ['join(title, join(kw1, scramble(kew)))*2', 32, 'There is no surrogate "kew". Did you mean "kw"?'],
    ['join(title, kw1', 5, 'this parenthesis is not closed'],
    ['join(title, join(kw1, title)', 5, 'this parenthesis is not closed'],
    ['join(title, static:a), kw1)', 22, 'and ", kw1)" does. Write \\) for a parenthesis in a text'],
    ['join(title, kw1)*0', 17, 'nothing but *N or *query may follow'],
    ['join(title, , kw1)', 13, 'a surrogate was expected'],
    ['join(title, kw1,)', 17, 'a surrogate was expected'],
    ['join()', 6, 'a surrogate was expected'],
    ['join(title)', 6, 'there is one surrogate, and two or more are joined'],
    ['join(title, static:of {brand})', 13, '{brand} would stand in front of every document'],
    ['join(title, kw10001)', 13, 'The surrogate "kw10001" asks for too much'],
    ['join(a, join(a, join(a, join(a, join(a, b)))))', 6, 'There is no surrogate "a"'],
    ['join(title, join(title, join(title, join(title, join(title, lead)))))', 54, 'The surrogate "title" asks'],
  ])('point at the place of what is wrong: %s', (specification, character, problem) => {
    expect(() => surrogate(specification)).toThrow(`${JSON.stringify(specification)}, character ${character}: `);
    expect(() => surrogate(specification)).toThrow(problem);
  });

  it('are told apart in a list by the commas that are not in theirs', () => {
    const list = 'doc_kw, join(title, scramble(join(kw1, kw2)))*2,scramble(static:a, b),static:open (24 h,kw3';
    expect(splitList(list)).toEqual([
      'doc_kw',
      'join(title, scramble(join(kw1, kw2)))*2',
      'scramble(static:a, b)',
      'static:open (24 h',
      'kw3',
    ]);
    expect(splitList('join(title, kw1')).toEqual(['join(title, kw1']);
    expect(splitList(String.raw`join(title, static:a\)\, b),kw1`)).toEqual([
      String.raw`join(title, static:a\)\, b)`,
      'kw1',
    ]);
  });

  it('joined are no longer than a prefix may be', () => {
    const long = 'static:word*10000';
    expect(() => made(`join(${Array(21).fill(long).join(', ')})`)).toThrow('longer than a prefix may be');
  });

  it('say what the program has to bring along', () => {
    const bare: SurrogateContext = { index: 0, samples: [sample], seed: 42 };
    expect(() => surrogate('the_matched10').make(sample, bare)).toThrow('SurrogateContext.countTokens');
    expect(() => surrogate('pos_kw5').make(sample, bare)).toThrow('SurrogateContext.prepared');
    expect(() => surrogate('llm:need').make(sample, bare)).toThrow('SurrogateContext.prepared');
  });

  it('say nothing in as many tokens as any other has', () => {
    for (const inner of ['oracle', 'doc_kw', 'random20', 'join(title, static:a\\, b)', 'static:one two) three*4']) {
      const [plain, neutral] = [surrogate(inner), surrogate(`neutral(${inner})`)];
      const words = splitWords(neutral.make(sample, context));
      expect(new Set(words)).toEqual(new Set(['the']));
      expect(words).toHaveLength(countTokens(plain.make(sample, context)));
      expect(neutral).toMatchObject({ needsQuery: plain.needsQuery, sources: ['constant'] });
    }
    expect(surrogate('neutral(column:need)').columns).toEqual(['need']);
    expect(splitList('neutral(join(title, kw1)),kw2')).toEqual(['neutral(join(title, kw1))', 'kw2']);
    expect(() => surrogate('neutral(kew)')).toThrow('character 9: There is no surrogate "kew".');
  });

  it('scramble any other by the rule of the scrambled query', () => {
    expect(made('scramble(oracle)')).toBe(made('scrambled'));
    expect(made('scramble(oracle)*2')).toBe(`${made('scrambled')} ${made('scrambled')}`);
    expect(made('scramble(oracle*2)')).not.toBe(made('scramble(oracle)*2'));
    fc.assert(
      fc.property(
        fc.constantFrom('oracle', 'doc_kw', 'lead', 'random20', 'static:one two) three*4', 'scramble(kw4)', 'title*3'),
        fc.nat(1000),
        (inner, index) => {
          const at = { ...context, index };
          const [plain, scrambled] = [surrogate(inner), surrogate(`scramble(${inner})`)];
          const sorted = (text: string) => splitWords(text).sort();
          expect(sorted(scrambled.make(sample, at))).toEqual(sorted(plain.make(sample, at)));
          expect(scrambled).toMatchObject({ needsQuery: plain.needsQuery, sources: plain.sources });
        },
      ),
    );
  });

  it('say what they are made of', () => {
    const sources = {
      column: ['column:need', 'scramble(column:need)*2'],
      query: ['oracle', 'para', 'scrambled', 'query_kw', 'oracle*4', 'scramble(oracle)*2'],
      document: ['doc_kw', 'kw3', 'pos_kw3', 'template', 'title', 'lead', 'lead_full', 'kw1*query'],
      other: ['random20', 'random_matched', 'random_kw_matched', 'wrong_kw5', 'scramble(random20)'],
      constant: ['static:the*query', 'the_matched10'],
      generated: ['llm:need', 'llm:prompt=Ask: why?*4', 'scramble(llm:question)', 'self'],
    };
    for (const [source, names] of Object.entries(sources)) {
      for (const name of names) expect([name, surrogate(name).sources]).toEqual([name, [source]]);
    }
  });

  it('say what has to be prepared, also inside others', () => {
    expect(surrogate('doc_kw').preparations).toEqual([]);
    expect(surrogate('pos_kw5*2').preparations).toEqual([{ by: 'tagger' }]);
    expect(surrogate('scramble(self)*4').preparations).toEqual([{ by: 'self' }]);
    const prompt = 'Say $& in 3 words';
    expect(surrogate('llm:prompt=Say $& in 3 words').preparations).toEqual([{ by: 'llm', prompt }]);
    expect(surrogate('join(self, scramble(llm:prompt=Say $& in 3 words))').preparations).toEqual([
      { by: 'self' },
      { by: 'llm', prompt },
    ]);
    expect(surrogate('llm:prompt=Say $& in 3 words').about).toContain('"Say $& in 3 words"');
  });

  it('take keywords of queries from the one rule', () => {
    expect(splitWords(made('para')).reverse()).toEqual(keywords(sample.query));
  });

  it('keep 25 words of a long first sentence', () => {
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`);
    expect(made('lead', { document: `${words.join(' ')}. More.` })).toBe(words.slice(0, 25).join(' '));
  });

  it('say whether they need the query', () => {
    const queryless = [
      'doc_kw',
      'kw3',
      'template',
      'lead',
      'static:a',
      'random20',
      'doc_kw*4',
      'title',
      'pos_kw5',
      'wrong_kw5',
      'llm:need',
      'self',
    ];
    const needing = [
      'oracle',
      'para',
      'scrambled',
      'random_matched',
      'oracle*2',
      'static:the*query',
      'the_matched10',
      'random_kw_matched',
      'query_kw',
      'scramble(oracle)',
    ];
    for (const name of queryless) expect([name, surrogate(name).needsQuery]).toEqual([name, false]);
    for (const name of needing) expect([name, surrogate(name).needsQuery]).toEqual([name, true]);
  });

  it.each([
    ['static:About {title}', '{title} would stand in front of every document', 'Take title'],
    ['static:{}', '{} would stand', 'Take title'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: It is what is refused.
    ['static:${query}*3', '{query} would stand', 'llm:prompt=TEXT'],
    ['scramble(static:{ a, b })*2', '{ a, b } would stand', 'Take title'],
    ['llm:prompt=Summarise {document}', '{document} would be sent', 'Leave it out'],
    ['llm:prompt=Query for {{ title }}?', '{{ title }} would be sent', 'Leave it out'],
  ])('have no placeholders: %s', (specification, found, advice) => {
    expect(() => surrogate(specification)).toThrow(
      expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(found) }),
    );
    expect(() => surrogate(specification)).toThrow(advice);
  });

  it('may have braces in a prompt that are no placeholder', () => {
    expect(surrogate('llm:prompt=Answer as {"query": "..."}').sources).toEqual(['generated']);
  });

  it.each([
    '',
    'nothing',
    'kw',
    'kw0',
    'oracle3',
    'static',
    'static:',
    'oracle:x',
    'doc_kw*0',
    'toString',
    '*3',
    'kw007',
    'llm',
    'llm:',
    'llm:other',
    'llm:prompt=',
    'scramble()',
    'scramble(nothing)',
    'scramble(oracle',
  ])('refuses "%s" and names what there is', (specification) => {
    expect(() => surrogate(specification)).toThrow(/Expected oracle, .*kwN.*static:TEXT.*scramble/);
    expect(surrogateSchema.safeParse(specification).success).toBe(false);
  });

  it('are all in the guide, with what they are made of', () => {
    const guide = readFileSync(new URL('../../docs/surrogates.md', import.meta.url), 'utf8');
    const rows = new Map(
      [...guide.matchAll(/^\| `([^`]+)` \|.*\| (\w+) \| ([^|]+) \|$/gm)].map(([, form, source, deployable]) => [
        form,
        { sources: [source], needsQuery: deployable === 'no' },
      ]),
    );
    expect([...rows.keys()].sort()).toEqual(surrogateForms().sort());
    for (const [form, row] of rows) {
      expect(surrogate(form!.replace(/N$/, '3').replace('TEXT', 'a')), form).toMatchObject(row);
    }
  });

  it('lists every form once', () => {
    const forms = surrogateForms();
    expect(new Set(forms).size).toBe(forms.length);
    for (const form of forms) expect(() => surrogate(form.replace(/N$/, '3').replace('TEXT', 'a'))).not.toThrow();
  });
});
