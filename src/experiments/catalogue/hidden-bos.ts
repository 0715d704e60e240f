/**
 * Experiment `bos`: what the published mask's gain is made of. It hides BOS and shows the line break, so a primed document, a hidden BOS and a
 * visible line break are mixed in it; here they are taken apart.
 *
 * Letters: B is BOS, P the prefix, N the line break, D the document. `E0` encodes [B, D], `E1` [B, N, D], `E2` [B, P, N, D], `E4`
 * [N, D]; what the decoder sees of an encode stands behind the colon. `{B0,D2}` are rows of two encodes together. An end of text, S, stands
 * behind the document where a model has one; no cell shows it, and a mask that hides the prefix from the document hides it from that row too,
 * which would hand it on.
 */
import type { Condition, Encoding } from '../../priming/condition.js';
import type { Segment } from '../../priming/input.js';
import type { Contrast, ContrastGroup } from '../../runs/schema/experiment.js';
import { defineExperiment } from '../declaration/define.js';
import { gain } from './design.js';

const SEGMENT: Readonly<Record<string, Segment>> = { B: 'bos', P: 'prefix', N: 'separator', D: 'document', S: 'eos' };

const segments = (letters: string): Segment[] => [...letters].map((letter) => SEGMENT[letter]!);

const ENCODES = {
  E0: {},
  E1: { separator: true },
  E4: { bos: false, separator: true },
} as const satisfies Record<string, Omit<Encoding, 'visibility'>>;

/** Who may not see whom in the encoder of [B, P, N, D, S]. */
const MASKS = {
  M1: [{ rows: segments('BNDS'), columns: segments('P') }],
  M2: [{ rows: segments('BNS'), columns: segments('P') }],
  M3: [{ rows: segments('DS'), columns: segments('P') }],
  M4: [{ rows: segments('NDS'), columns: segments('BP') }],
};

const PREFIXES: Readonly<Record<string, string>> = {
  oracle: 'oracle',
  doc_kw: 'doc_kw',
  random_matched: 'random_matched',
  the: 'static:the*query',
  random1: 'random1',
};

const CELLS = ['D', 'BD', 'ND', 'BND'];

/** What the decoder reads before the target, by the ends of conditions' names. */
const PROMPTS = { '': 'none', ', query': 'query' } as const;

type Suffix = keyof typeof PROMPTS;

/** The prefixes that get a verdict, and the steps of their gains that are taken with either prompt. */
const JUDGED = ['oracle', 'doc_kw', 'random_matched'];

/** Priming is compared with that by these words. */
const RANDOM = 'random_matched';

/** So few words fit, with any of the prefixes, into the encoder's sliding window. */
const SHORT = { suffix: ', 8 words', document: { first_words: 8 } };

const unprimed = (encode: keyof typeof ENCODES, cells: readonly string[]): Condition[] =>
  cells.map((cell) => ({ name: `${encode}:${cell}`, ...ENCODES[encode], visibility: segments(cell) }));

/** A row less of the bare document, and BOS still there: what hiding any row does. */
const PLACEBO: Condition = { name: 'E0:BD, a row less', visibility: segments('BD'), hidden: 'document_row' };

const primedCell = (prefix: string, cell: string): Condition => ({
  name: `${prefix} E2:${cell}`,
  surrogate: PREFIXES[prefix]!,
  visibility: segments(cell),
});

/** The primed document beside the bare encode's BOS. */
const transplant = (prefix: string): Condition => ({
  name: `${prefix} {B0,D2}`,
  surrogate: PREFIXES[prefix]!,
  visibility: segments('D'),
  also: [{ ...ENCODES.E0, visibility: segments('B') }],
});

function primed(prefix: string): Condition[] {
  const surrogate = PREFIXES[prefix]!;
  const seen = (cell: string): Encoding => ({ surrogate, visibility: segments(cell) });
  const named = (name: string, encoding: Encoding, also?: Encoding): Condition => ({
    name: `${prefix} ${name}`,
    ...encoding,
    ...(also && { also: [also] }),
  });
  return [
    ...[...CELLS, 'BPND', 'PD'].map((cell) => primedCell(prefix, cell)),
    ...Object.entries(MASKS).flatMap(([mask, blocked]) =>
      ['D', 'BD', 'ND'].map((cell) => named(`${mask}:${cell}`, { ...seen(cell), blocked })),
    ),
    transplant(prefix),
    named('{B2,D0}', seen('B'), { ...ENCODES.E0, visibility: segments('D') }),
    named('{N1,D2}', seen('D'), { ...ENCODES.E1, visibility: segments('N') }),
    named('{N2,D1}', seen('N'), { ...ENCODES.E1, visibility: segments('D') }),
    // The research's own arm: one string, and a count of what is hidden.
    named('published', { surrogate, visibility: 'published' }),
    // For the identities.
    named('shifted', { ...seen('BD'), positions: 'after_prefix' }),
    {
      ...named(`M1, positions of E1${SHORT.suffix}`, { ...seen('D'), blocked: MASKS.M1, positions: 'without_prefix' }),
      document: SHORT.document,
    },
  ];
}

/** Shapley's share of each of the three changes in the way from E1:BD to E2:ND: its mean effect over all orders of making them. */
function shapley(prefix: string): Contrast[] {
  const factors = ['BOS hidden', 'document primed', 'line break visible'];
  const cell = (made: readonly boolean[]) => {
    const seen = `${made[0] ? '' : 'B'}${made[2] ? 'N' : ''}D`;
    return made[1] ? `${prefix} E2:${seen}` : `E1:${seen}`;
  };
  return factors.map((factor, f) => {
    const terms: Record<string, number> = {};
    for (let others = 0; others < 8; others++) {
      const made = factors.map((_, i) => (others & (1 << i)) !== 0);
      if (made[f]) continue;
      const before = made.filter(Boolean).length;
      const weight = before === 1 ? 1 / 6 : 1 / 3;
      const after = made.with(f, true);
      terms[cell(made)] = (terms[cell(made)] ?? 0) + weight;
      terms[cell(after)] = (terms[cell(after)] ?? 0) - weight;
    }
    return { name: `Shapley: ${factor}`, terms, share_of: 'Shapley: total' };
  });
}

/** The steps that a gain is taken apart into, with one of the prompts. */
function steps(prefix: string, at: Suffix): Contrast[] {
  const bare = (cell: string) => `${cell}${at}`;
  const e2 = (cell: string) => `${prefix} E2:${cell}${at}`;
  const beside = `${prefix} {B0,D2}${at}`;
  return [
    gain('T', bare('E0:BD'), e2('ND')),
    gain('H', bare('E0:BD'), bare('E0:D'), 'T'),
    gain('W', bare('E0:D'), bare('E1:D'), 'T'),
    // Without a line break the two unprimed encodes are one.
    { ...gain('P0', bare('E1:D'), e2('D'), 'T'), otherwise: gain('P0', bare('E0:D'), e2('D')).terms },
    gain('V', e2('D'), e2('ND'), 'T'),
    gain('P1', bare('E1:BD'), e2('BD'), 'T'),
    gain('P*', bare('E0:BD'), beside, 'T'),
    {
      name: 'I',
      terms: { [bare('E1:D')]: 1, [e2('D')]: -1, [bare('E1:BD')]: -1, [e2('BD')]: 1 },
    },
    gain('L', beside, e2('BD'), 'T'),
    ...(JUDGED.includes(prefix) && prefix !== RANDOM ? [gain('S', `${RANDOM} E2:D${at}`, e2('D'))] : []),
  ];
}

const STEPS_NOTE =
  'T = H + W + P0 + V: hiding BOS, a line break in the encoder, priming, the visible line break. P1: priming with BOS visible; P*: priming with the bare document’s BOS; I = P0 − P1; L: what the primed BOS row leaks.';
const MEANING_NOTE = ' S: priming less priming by as many words of another document.';

const FAMILY = { family: ['H', 'W', 'P0', 'V', 'P*', 'I', 'L'], equivalence_margin: 0.1, decomposition: true };

function decompositionOf(prefix: string): ContrastGroup {
  return {
    title: prefix,
    note: `${STEPS_NOTE}${JUDGED.includes(prefix) && prefix !== RANDOM ? MEANING_NOTE : ''} Shapley: each change’s mean effect over all orders, from E1:BD to E2:ND.`,
    contrasts: [...steps(prefix, ''), gain('Shapley: total', 'E1:BD', `${prefix} E2:ND`), ...shapley(prefix)],
    ...FAMILY,
    ...(JUDGED.includes(prefix) && { verdict: 'query not in the decoder' }),
  };
}

/** The same steps with the query in the decoder. */
function askedOf(prefix: string): ContrastGroup {
  return {
    title: `${prefix}, query in the decoder`,
    note: `${STEPS_NOTE}${prefix === RANDOM ? '' : MEANING_NOTE}`,
    contrasts: steps(prefix, ', query'),
    ...FAMILY,
    verdict: 'query in the decoder',
  };
}

/** What the steps of the prefixes with a verdict are made of. */
function stepConditions(): Condition[] {
  return [
    ...unprimed('E0', ['BD', 'D']),
    ...unprimed('E1', ['D', 'BD']),
    ...JUDGED.flatMap((prefix) => [...['D', 'BD', 'ND'].map((cell) => primedCell(prefix, cell)), transplant(prefix)]),
  ];
}

const asked = (condition: Condition): Condition => ({
  ...condition,
  name: `${condition.name}, query`,
  prompt: 'query',
});

export const hiddenBos = defineExperiment({
  id: 'bos',
  title: 'Primed document, hidden BOS, or visible line break?',
  question: 'Which of the three things that the published mask changes at once makes its gain?',
  protocol: { samples: 1000 },
  conditions: [
    ...unprimed('E0', ['BD', 'D']),
    ...unprimed('E1', CELLS),
    ...unprimed('E4', ['ND']),
    PLACEBO,
    { name: 'bare', visibility: 'full' },
    ...['E0', 'E1'].map(
      (encode): Condition => ({
        name: `${encode}:D${SHORT.suffix}`,
        ...ENCODES[encode as 'E0' | 'E1'],
        visibility: segments('D'),
        document: SHORT.document,
      }),
    ),
    ...Object.keys(PREFIXES).flatMap(primed),
    ...[...stepConditions(), PLACEBO].map(asked),
  ],
  comparisons: [
    ...Object.keys(PREFIXES).map((prefix) => ({
      treatment: `${prefix} E2:D`,
      baseline: 'E1:D',
      // Without a line break the two unprimed encodes are one.
      otherwise: 'E0:D',
      oracle: 'oracle E2:D',
    })),
    ...Object.keys(PREFIXES).map((prefix) => ({
      treatment: `${prefix} published`,
      baseline: 'bare',
      oracle: 'oracle published',
      family: 'published',
    })),
  ],
  primary: { treatment: 'doc_kw E2:D', baseline: 'E1:D' },
  contrasts: [
    ...Object.keys(PREFIXES).map(decompositionOf),
    ...JUDGED.map(askedOf),
    {
      title: 'Meaning',
      note: 'Priming by the real query less priming by as many words of another document.',
      contrasts: [gain('semantic', `${RANDOM} E2:D`, 'oracle E2:D')],
      decomposition: false,
    },
    {
      title: 'One string',
      note: 'What is left of the published arm, which tokenises prefix, line break and document as one string, when the same rows of segments are taken off: nothing, where both have the same ids.',
      contrasts: Object.keys(PREFIXES).map((prefix) => ({
        ...gain(prefix, `${prefix} E2:ND`, `${prefix} published`),
      })),
      decomposition: false,
    },
    {
      title: 'Placebo',
      note: 'Hiding a row of the document, chosen by its ids and nothing else, in the place of BOS. H less that: what is special about BOS.',
      contrasts: (Object.keys(PROMPTS) as Suffix[]).flatMap((at) => [
        gain(`a row hidden${at}`, `E0:BD${at}`, `${PLACEBO.name}${at}`),
        gain(`H less that${at}`, `${PLACEBO.name}${at}`, `E0:D${at}`),
      ]),
      decomposition: false,
    },
  ],
  identities: Object.keys(PREFIXES).flatMap((prefix) => [
    {
      name: `${prefix}: without BOS and prefix in view, as if they were not there`,
      left: `${prefix} M4:ND`,
      right: 'E4:ND',
      relative: true,
    },
    { name: `${prefix}: moved positions change nothing`, left: `${prefix} shifted`, right: 'E0:BD', relative: true },
    {
      name: `${prefix}: an unseen prefix is none`,
      left: `${prefix} M1, positions of E1${SHORT.suffix}`,
      right: `E1:D${SHORT.suffix}`,
      otherwise: `E0:D${SHORT.suffix}`,
      within_window: true,
    },
  ]),
});
