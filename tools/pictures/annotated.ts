/** How the first figure of a report is read: the figure of a real run, with numbered marks and a key whose numbers are the record's. */
import { parseHTML } from 'linkedom';
import { WIDE } from '../../src/report/figures/draw.js';
import { effectPlot } from '../../src/report/figures/effects.js';
import { markOf } from '../../src/report/formats/images.js';
import { gainGroups } from '../../src/report/tables/gains.js';
import { fixed, nats, signed, withInterval } from '../../src/report/words/format.js';
import { primaryOf } from '../../src/report/words/labels.js';
import type { Summary } from '../../src/runs/schema/summary.js';
import { badge, paper, words } from './paper.js';

/** The place of the figure on the paper, below which the key stands. */
const [LEFT, TOP, LINE] = [34, 34, 22];

export function annotatedPicture(summary: Summary): string {
  const primary = primaryOf(summary.configuration.experiment)!;
  const isPrimary = (c: Summary['comparisons'][number]) =>
    c.treatment === primary.treatment && c.baseline === primary.baseline;
  const group = gainGroups(summary).find(({ comparisons }) => comparisons.some(isPrimary))!;
  const row = group.comparisons.findIndex(isPrimary);
  const { mean, trimmed_mean: trimmed, robust_d, d } = group.comparisons[row]!.gain;
  const drawing = effectPlot(summary, [group], WIDE);
  const [inNats, inDeviations] = placesIn(drawing.svg, row, group.comparisons.length);
  const direction =
    mean.value! < 0 ? 'Left of 0: the answers became harder.' : 'Right of 0: the answers became easier.';
  const key = [
    `A condition: ${primary.treatment} is the prefix ${primary.treatment.replace(/_d$/, '')} with everything hidden but the document (_d). It is compared with ${primary.baseline}.`,
    `The filled mark is the mean gain, ${nats(mean.value)} nats a token. ${direction}`,
    `The line is its 95% interval, ${withInterval(mean, nats).replace(/^\S+ /, '')}. On one side of 0 alone, it tells the direction.`,
    `The hollow mark is the trimmed mean, ${nats(trimmed.value)}, which a few extreme answers cannot move. Far from the mean: they carry it.`,
    `0: the prefix changes nothing. The document alone stands here; the real query (oracle) is the upper bound.`,
    `The same in standard deviations of the samples: robust d ${signed(robust_d?.value ?? d.value, 2)}, hollow the plain d, ${signed(d.value, 2)}.`,
  ];
  const at = (n: number, x: number, y: number) => badge(n, LEFT + x, TOP + y);
  const bottom = TOP + drawing.height + 30;
  const marks = [
    at(1, BESIDE, inNats.row),
    at(2, inNats.filled, inNats.row - 21),
    at(3, inNats.high + 14, inNats.row),
    at(4, inNats.hollow, inNats.row - 21),
    at(5, inNats.zero, inNats.top),
    at(6, inDeviations.filled, inDeviations.row - 21),
  ];
  const height = bottom + key.length * LINE + 12;
  return paper(WIDE.width + LEFT, height, 'How the figure of gains is read, with numbered marks.', [
    words(
      `The gains of ${summary.configuration.experiment.id}, ${fixed(summary.samples.scored, 0)} samples`,
      LEFT + 4,
      24,
      { bold: true, size: 14 },
    ),
    drawing.svg.replace('<svg ', `<svg x="${LEFT}" y="${TOP}" `),
    ...marks,
    words(markOf(summary), LEFT + 4, bottom - 14, { size: 11, fill: '#a84900' }),
    ...key.flatMap((line, i) => [
      badge(i + 1, LEFT + BESIDE, bottom + 8 + i * LINE),
      words(line, LEFT + 4, bottom + 12 + i * LINE, { size: 12.5 }),
    ]),
  ]);
}

/** Where a mark stands left of the rows' names. */
const BESIDE = -14;

/** Where the marks of one row stand in a panel. */
interface Places {
  readonly filled: number;
  readonly hollow: number;
  readonly high: number;
  readonly zero: number;
  readonly top: number;
  readonly row: number;
}

/** Where the marks of a row stand in the panel of nats and in that of deviations. */
function placesIn(svg: string, row: number, rows: number): [Places, Places] {
  const { document } = parseHTML(`<body>${svg}</body>`);
  const panels = [...document.querySelectorAll('svg > svg')].filter(
    (panel) => panel.querySelectorAll('g[aria-label=dot]').length === 2,
  );
  const number = (element: { getAttribute(name: string): string | null }, name: string) =>
    Number(element.getAttribute(name) ?? 0);
  const places = panels.map((panel): Places => {
    const [x, y] = [number(panel, 'x'), number(panel, 'y')];
    const [hollow, filled] = [...panel.querySelectorAll('g[aria-label=dot]')].map((dots) => {
      const mark = [...dots.children].at(row)!;
      const moved = /translate\(([-\d.]+),([-\d.]+)\)/.exec(mark.getAttribute('transform') ?? '');
      return moved ? [Number(moved[1]), Number(moved[2])] : [number(mark, 'cx'), number(mark, 'cy')];
    }) as [[number, number], [number, number]];
    const rules = [...panel.querySelectorAll('g[aria-label=rule] line')];
    const interval = rules.slice(-rows)[row]!;
    const zero = rules[0]!;
    return {
      filled: x + filled[0],
      hollow: x + hollow[0],
      high: x + number(interval, 'x2'),
      zero: x + number(zero, 'x1'),
      top: y + number(zero, 'y1') + 6,
      row: y + filled[1],
    };
  });
  return [places[0]!, places[1]!];
}
