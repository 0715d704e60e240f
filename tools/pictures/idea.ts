/** The idea in one picture: what is encoded, what is hidden, what is kept, and what the decoder sees. */
import { arrow, BLUE, INK, ORANGE, PALE, paper, words } from './paper.js';

interface Token {
  readonly text: string;
  readonly of: 'frame' | 'surrogate' | 'document';
}

const TOKENS: readonly Token[] = [
  { text: 'BOS', of: 'frame' },
  { text: 'lamp', of: 'surrogate' },
  { text: 'price', of: 'surrogate' },
  { text: '↵', of: 'frame' },
  ...['The', 'lamp', 'costs', '24', 'euros', '.'].map((text) => ({ text, of: 'document' as const })),
];

const COLOURS = { frame: '#7f7f7f', surrogate: ORANGE, document: BLUE };

const [LEFT, GAP, BOX] = [24, 6, 30];

const wide = ({ text }: Token) => Math.max(26, text.length * 8 + 14);

/** The tokens with their left edges. */
const PLACED = TOKENS.map((token, i) => ({
  ...token,
  x: TOKENS.slice(0, i).reduce((x, before) => x + wide(before) + GAP, LEFT),
  width: wide(token),
}));

const DOCUMENT = PLACED.filter(({ of }) => of === 'document');
const HIDDEN = PLACED.filter(({ of }) => of !== 'document');
const edges = (tokens: typeof PLACED) => [tokens[0]!.x, tokens.at(-1)!.x + tokens.at(-1)!.width] as const;

export function ideaPicture(): string {
  const [start, end] = edges(PLACED);
  const [from, to] = edges(DOCUMENT);
  const [hiddenFrom, hiddenTo] = edges(HIDDEN);
  const input = PLACED.map(
    ({ text, of, x, width }) =>
      `<rect x="${x}" y="64" width="${width}" height="${BOX}" rx="4" fill="${COLOURS[of]}" fill-opacity="0.16" stroke="${COLOURS[of]}"/>${words(text, x + width / 2, 84, { anchor: 'middle' })}`,
  );
  const states = PLACED.map(({ of, x, width }) =>
    of === 'document'
      ? `<rect x="${x}" y="208" width="${width}" height="${BOX}" rx="4" fill="${BLUE}" fill-opacity="0.75" stroke="${BLUE}"/>`
      : `<rect x="${x}" y="208" width="${width}" height="${BOX}" rx="4" fill="none" stroke="#999" stroke-dasharray="4 3"/>`,
  );
  const middle = (a: number, b: number) => (a + b) / 2;
  const decoder = 560;
  return paper(
    860,
    318,
    'A surrogate query and a document are encoded together; the states of the document alone are kept, and the decoder sees these.',
    [
      words('Once, before any query', LEFT, 30, { bold: true, size: 14 }),
      words('For every query', decoder, 30, { bold: true, size: 14 }),
      words('a surrogate, in place of the query', hiddenFrom, 55, { size: 12, fill: ORANGE }),
      words('the document', from, 55, { size: 12, fill: BLUE }),
      ...input,
      arrow(`M${middle(start, end)} 98 V122`),
      `<rect x="${start}" y="126" width="${end - start}" height="44" rx="4" fill="#f3f3f3" stroke="#999"/>`,
      words('encoder: every row can look at every other', middle(start, end), 153, { anchor: 'middle' }),
      arrow(`M${middle(start, end)} 172 V202`),
      ...states,
      words('hidden', middle(hiddenFrom, hiddenTo), 258, { anchor: 'middle', fill: PALE }),
      words('read beside the document, then dropped', hiddenFrom, 276, { size: 12, fill: PALE }),
      words('kept: the directed cache', middle(from, to) + 20, 258, { anchor: 'middle', bold: true, fill: BLUE }),
      words('one row of states a token, in a store', middle(from, to) + 20, 276, {
        anchor: 'middle',
        size: 12,
        fill: PALE,
      }),
      arrow(`M${to + 8} 223 H${decoder - 8}`),
      `<rect x="${decoder}" y="195" width="276" height="56" rx="4" fill="#f3f3f3" stroke="#999"/>`,
      words('decoder', decoder + 138, 218, { anchor: 'middle', bold: true }),
      words('sees the kept rows, and what it is given', decoder + 138, 238, { anchor: 'middle', size: 12 }),
      `<rect x="${decoder}" y="64" width="276" height="${BOX}" rx="4" fill="none" stroke="${INK}"/>`,
      words('the real query, an answer', decoder + 138, 84, { anchor: 'middle' }),
      arrow(`M${decoder + 138} 98 V189`),
      words('no encoder here', decoder + 148, 150, { size: 12, fill: PALE }),
      arrow(`M${decoder + 138} 253 V276`),
      words('NLL of the answer, a ranking, a text', decoder + 138, 296, { anchor: 'middle', bold: true }),
    ],
  );
}
