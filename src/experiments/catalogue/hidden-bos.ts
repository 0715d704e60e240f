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

/** The masks: which rows may not see which in the encoder of [B, P, N, D, S]. */
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

const unprimed = (encode: keyof typeof ENCODES, cells: readonly string[]): Condition[] =>
  cells.map((cell) => ({ name: `${encode}:${cell}`, ...ENCODES[encode], visibility: segments(cell) }));

function primed(prefix: string, surrogate: string): Condition[] {
  const seen = (cell: string): Encoding => ({ surrogate, visibility: segments(cell) });
  const named = (name: string, encoding: Encoding, also?: Encoding): Condition => ({
    name: `${prefix} ${name}`,
    ...encoding,
    ...(also && { also: [also] }),
  });
  return [
    ...[...CELLS, 'BPND', 'PD'].map((cell) => named(`E2:${cell}`, seen(cell))),
    ...Object.entries(MASKS).flatMap(([mask, blocked]) =>
      ['D', 'BD', 'ND'].map((cell) => named(`${mask}:${cell}`, { ...seen(cell), blocked })),
    ),
    named('{B0,D2}', seen('D'), { ...ENCODES.E0, visibility: segments('B') }),
    named('{B2,D0}', seen('B'), { ...ENCODES.E0, visibility: segments('D') }),
    named('{N1,D2}', seen('D'), { ...ENCODES.E1, visibility: segments('N') }),
    named('{N2,D1}', seen('N'), { ...ENCODES.E1, visibility: segments('D') }),
    // For the identities.
    named('shifted', { ...seen('BD'), positions: 'after_prefix' }),
    named('M1, positions of E1', { ...seen('D'), blocked: MASKS.M1, positions: 'without_prefix' }),
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

function decompositionOf(prefix: string): ContrastGroup {
  const e2 = (cell: string) => `${prefix} E2:${cell}`;
  const transplant = `${prefix} {B0,D2}`;
  const contrasts: Contrast[] = [
    gain('T', 'E0:BD', e2('ND')),
    gain('H', 'E0:BD', 'E0:D', 'T'),
    gain('W', 'E0:D', 'E1:D', 'T'),
    gain('P0', 'E1:D', e2('D'), 'T'),
    gain('V', e2('D'), e2('ND'), 'T'),
    gain('P1', 'E1:BD', e2('BD'), 'T'),
    gain('P*', 'E0:BD', transplant, 'T'),
    { name: 'I', terms: { 'E1:D': 1, [e2('D')]: -1, 'E1:BD': -1, [e2('BD')]: 1 } },
    gain('L', transplant, e2('BD'), 'T'),
    gain('Shapley: total', 'E1:BD', e2('ND')),
    ...shapley(prefix),
  ];
  return {
    title: prefix,
    note: 'T = H + W + P0 + V: hiding BOS, a line break in the encoder, priming, the visible line break. P1: priming with BOS visible; P*: priming with the bare document’s BOS; I = P0 − P1; L: what the primed BOS row leaks. Shapley: each change’s mean effect over all orders, from E1:BD to E2:ND.',
    contrasts,
    family: ['H', 'W', 'P0', 'V', 'P*', 'I', 'L'],
    equivalence_margin: 0.1,
    decomposition: true,
  };
}

export const hiddenBos = defineExperiment({
  id: 'bos',
  title: 'Primed document, hidden BOS, or visible line break?',
  question: 'Which of the three things that the published mask changes at once makes its gain?',
  protocol: { samples: 1000 },
  conditions: [
    ...unprimed('E0', ['BD', 'D']),
    ...unprimed('E1', CELLS),
    ...unprimed('E4', ['ND']),
    ...Object.entries(PREFIXES).flatMap(([prefix, surrogate]) => primed(prefix, surrogate)),
  ],
  comparisons: Object.keys(PREFIXES).map((prefix) => ({
    treatment: `${prefix} E2:D`,
    baseline: 'E1:D',
    // Without a line break the two unprimed encodes are one.
    otherwise: 'E0:D',
    oracle: 'oracle E2:D',
  })),
  primary: { treatment: 'doc_kw E2:D', baseline: 'E1:D' },
  contrasts: [
    ...Object.keys(PREFIXES).map(decompositionOf),
    {
      title: 'Meaning',
      note: 'Priming by the real query less priming by as many words of another document.',
      contrasts: [gain('semantic', 'random_matched E2:D', 'oracle E2:D')],
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
      left: `${prefix} M1, positions of E1`,
      right: 'E1:D',
      otherwise: 'E0:D',
      within_window: true,
    },
  ]),
});
