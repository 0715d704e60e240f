/** Does the model use its encoder's texts: the question in front of a document, and the document itself? */
import { splitWords } from '../../base/words.js';
import type { InputTexts, Visibility } from '../../priming/input.js';
import type { Model } from '../../scoring/load-model.js';
import { expectGain, gainOf, type SanityCheck, type SanityOptions } from './check.js';
import type { Item } from './items.js';
import { asks, bare, bareHidden, type Known, meanNlls } from './nlls.js';

/** The real query must help, more than a sibling query of the same advertisement, and also where the answer is in neither. */
export async function queries(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
  known: Known,
): Promise<SanityCheck[]> {
  const checks: SanityCheck[] = [];
  const hidden: Known = {
    bare: await meanNlls(model, items, options, bareHidden),
    oracle: await meanNlls(model, items, options, asks('exact')),
  };
  for (const [visibility, { bare: lower, oracle }] of [
    ['full', known],
    ['exact', hidden],
  ] as const) {
    const sibling = await meanNlls(model, items, options, ({ ad, sibling }) => ({
      document: ad.text,
      prefix: sibling.query,
      visibility,
    }));
    const help = [
      expectGain(`oracle, ${visibility}`, 'Does the real question in front of the document help?', lower, oracle),
      expectGain(
        `sibling, ${visibility}`,
        'Does it help more than another question about the same document?',
        sibling,
        oracle,
      ),
    ];
    // With rows hidden it is what the experiments ask: a finding, not something that has to be so.
    checks.push(...(visibility === 'exact' ? help.map((check) => ({ ...check, state: 'finding' as const })) : help));
    if (visibility !== 'full') continue;
    const absent = items.flatMap(({ asked }, i) => (contains(asked.query, asked.answer) ? [] : [i]));
    const of = (values: readonly number[]) => absent.map((i) => values[i]!);
    const check = expectGain(
      'answer not given away',
      'Does it help where no word of the answer stands in the question?',
      of(lower),
      of(oracle),
    );
    checks.push({ ...check, result: `${check.result}; ${absent.length} of ${items.length} questions` });
  }
  return checks;
}

/** The document must matter: without it, or with another one, the answer is harder. */
export async function documents(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
  { oracle }: Known,
): Promise<SanityCheck[]> {
  const without = await meanNlls(model, items, options, ({ asked }) => ({
    document: '',
    prefix: asked.query,
    visibility: 'full',
  }));
  const wrong = await meanNlls(model, items, options, ({ asked, other }) => ({
    document: other.document,
    prefix: asked.query,
    visibility: 'full',
  }));
  return [
    expectGain('no document', 'Is the answer harder without the document?', without, oracle),
    expectGain('wrong document', 'Is it harder with another document?', wrong, oracle),
  ];
}

/** Checks that the question's help vanishes with answers of other advertisements. */
export async function shuffledAnswers(
  model: Model,
  items: readonly Item[],
  options: SanityOptions,
): Promise<SanityCheck[]> {
  const foreign = (of: (item: Item) => InputTexts & { visibility: Visibility }) => (item: Item) => ({
    ...of(item),
    answer: item.other.answer,
  });
  const lower = await meanNlls(model, items, options, foreign(bare));
  const oracle = await meanNlls(model, items, options, foreign(asks('full')));
  const { text, interval } = gainOf(lower, oracle);
  return [
    {
      name: 'shuffled answers',
      question: 'Does the help vanish when the answer belongs to another document?',
      state: interval.low <= 0 ? 'pass' : 'fail',
      result: text,
    },
  ];
}

function contains(text: string, answer: string): boolean {
  const words = new Set(splitWords(text.toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, ' ')));
  return splitWords(answer.toLowerCase().replace(/[^\p{L}\p{N}\s]/gu, ' ')).some((word) => words.has(word));
}
