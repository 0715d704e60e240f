/** Figures of contrast groups: head-to-heads and two by twos. */
import * as Plot from '@observablehq/plot';
import type { ContrastGroup, Experiment } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { ContrastGroupSummary, Summary } from '../../runs/schema/summary.js';
import type { Estimate } from '../../stats/gains.js';
import { nats, withInterval } from '../words/format.js';
import { prefixesOf, prefixName } from '../words/labels.js';
import {
  arrange,
  besideEachOther,
  commonDomain,
  type Drawing,
  draw,
  type Frame,
  panelWidth,
  rowAxis,
  X_LABEL,
  Y_LABEL,
  Y_MARGIN,
} from './draw.js';
import { colourOf, NEUTRAL_COLOUR, type Series, scalesOf, seriesAmong, seriesOf, symbolOf } from './series.js';

/**
 * The mean of each contrast with its interval, in nats and beside it in standard deviations of the samples, d, with the margin of equivalence where one
 * is set.
 */
export function contrastPlot(
  { configuration: { experiment } }: Summary,
  groups: readonly ContrastGroupSummary[],
  frame: Frame,
): Drawing {
  const all = groups.flatMap(({ contrasts }) => contrasts);
  const prefixes = new Map(groups.map(({ title }) => [title, contrastedPrefixes(experiment, title)]));
  const series = seriesAmong(
    prefixesOf(experiment),
    [...prefixes.values()].flatMap((named) => [...named.values()]),
  );
  const { marginLeft, marginBeside, room } = besideEachOther(
    all.map(({ name }) => name),
    frame,
  );
  const measures = [
    { of: ({ mean }: GainRecord) => mean, label: 'nats per token [95%]', margin: marginLeft, inNats: true },
    { of: inDeviations, label: 'd [95%]', margin: marginBeside, inNats: false },
  ];
  const panels = groups.flatMap(({ title, contrasts, equivalence_margin: margin }) =>
    measures.map(({ of, label, margin: left, inNats }) => {
      const rows = contrasts.map(({ name, gain }) => ({
        name,
        ...seriesOfRow(series, prefixes.get(title)?.get(name)),
        ...of(gain),
        title: `${name}\n${withInterval(gain.mean, nats)} nats a token`,
      }));
      const shaded = margin === null || inNats ? [] : [{ x1: -margin, x2: margin }];
      const drawing = draw({
        width: left + room,
        height: 70 + rows.length * 24,
        marginLeft: left,
        x: {
          ...X_LABEL,
          domain: commonDomain(all.map(({ gain }) => of(gain))),
          label: shaded.length > 0 ? `${label}; shaded: equivalent to 0` : label,
          grid: true,
          ticks: 6,
        },
        y: {
          ...rowAxis(
            rows.map(({ name }) => name),
            left,
          ),
          ...(left < marginLeft && { axis: null }),
        },
        marks: [
          Plot.rectX(shaded, { x1: 'x1', x2: 'x2', fill: '#009e73', fillOpacity: 0.15 }),
          Plot.ruleX([0], { stroke: '#888' }),
          Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'name', stroke: 'colour', strokeWidth: 2.5 }),
          Plot.dot(rows, { x: 'value', y: 'name', fill: 'colour', symbol: 'symbol', r: 5, title: 'title' }),
          ...(rows.every(({ value }) => value === null) ? [Plot.text([NO_SPREAD], { frameAnchor: 'middle' })] : []),
        ],
      });
      return { ...(inNats && { title }), drawing };
    }),
  );
  return arrange(panels, frame, series);
}

/** The prefix that each contrast of a group is about: the only one among its conditions. The documents alone and controls are what it is held against. */
function contrastedPrefixes(experiment: Experiment, title: string): Map<string, string> {
  const { conditions, contrasts, comparisons } = experiment;
  const controls = new Set(comparisons.map(({ control }) => control));
  const isPrefixed = (name: string) =>
    !controls.has(name) && conditions.some((condition) => condition.name === name && condition.surrogate !== undefined);
  const declared = contrasts.find((group) => group.title === title)?.contrasts ?? [];
  return new Map(
    declared.flatMap(({ name, terms }) => {
      const own = new Set(
        Object.keys(terms)
          .filter(isPrefixed)
          .map((condition) => prefixName(experiment, condition)),
      );
      return own.size === 1 ? [[name, [...own][0]!] as const] : [];
    }),
  );
}

/** The look of a contrast that is about one prefix, and of the others. */
function seriesOfRow(series: readonly Series[], prefix: string | undefined): Pick<Series, 'colour' | 'symbol'> {
  const { colour, symbol } = series.find(({ name }) => name === prefix) ?? { colour: NEUTRAL_COLOUR, symbol: 'circle' };
  return { colour, symbol };
}

/** What a panel without any value says. */
const NO_SPREAD = 'd is not defined: the samples do not differ';

/** A mean and its interval as multiples of the samples' standard deviation, which is the mean over d. */
function inDeviations({ mean, d }: GainRecord): Estimate {
  const scale = mean.value && d.value ? d.value / mean.value : null;
  const scaled = (x: number | null) => (x === null || scale === null ? null : x * scale);
  return { value: d.value, low: scaled(mean.low), high: scaled(mean.high) };
}

/** The contrast of a two by two that says whether its factors act together. */
const INTERACTION = 'interaction';

/** A group of two main effects and their interaction over four conditions. */
export function isTwoByTwo({ contrasts }: ContrastGroup): boolean {
  const interaction = contrasts.find(({ name }) => name === INTERACTION);
  return interaction !== undefined && factorsOf(contrasts, interaction).length === 2;
}

function factorsOf(contrasts: ContrastGroup['contrasts'], interaction: ContrastGroup['contrasts'][number]) {
  const cells = Object.keys(interaction.terms);
  return contrasts.filter(
    ({ name, terms }) => name !== interaction.name && cells.length === 4 && cells.every((cell) => cell in terms),
  );
}

/** Four cells: one factor along the axis, the other as two lines; parallel lines mean no interaction. */
export function twoByTwoPlot(summary: Summary, groups: readonly ContrastGroup[], frame: Frame): Drawing {
  const nll = new Map(summary.conditions.map((condition) => [condition.name, condition.nll]));
  const [first] = groups;
  const legend = seriesOf(linesOf(first!));
  const panels = groups.map((group) => {
    const interaction = group.contrasts.find(({ name }) => name === INTERACTION)!;
    const [along, lines] = factorsOf(group.contrasts, interaction) as [Contrast, Contrast];
    const cells = Object.keys(interaction.terms);
    // A main effect weighs the cells without its factor with plus, those with it with minus.
    const origin = cells.find((cell) => along.terms[cell]! > 0 && lines.terms[cell]! > 0)!;
    const rows = cells.map((cell) => {
      const compared = summary.comparisons.find((c) => c.treatment === cell && c.baseline === origin)?.gain.mean;
      const value = nll.get(origin)! - nll.get(cell)!;
      return {
        x: along.terms[cell]! > 0 ? `not: ${along.name}` : along.name,
        line: lines.terms[cell]! > 0 ? `not: ${lines.name}` : lines.name,
        value,
        low: compared?.low ?? value,
        high: compared?.high ?? value,
        title: `${cell} against ${origin}\ngain ${compared ? withInterval(compared, nats) : nats(value)} nats a token`,
      };
    });
    const drawing = draw({
      width: panelWidth(frame),
      height: 300,
      marginLeft: Y_MARGIN,
      x: { type: 'point', domain: [`not: ${along.name}`, along.name], padding: 0.4, label: null },
      y: { ...Y_LABEL, label: `gain over ${origin}, nats per token [95%]` },
      ...scalesOf(legend),
      marks: [
        Plot.ruleY([0], { stroke: '#888' }),
        ...legend.flatMap(({ name, colour }, s) => {
          const own = rows.filter(({ line }) => line === name);
          const dx = s * 6 - 3;
          return [
            Plot.line(own, { x: 'x', y: 'value', stroke: colour, strokeWidth: 2, sort: 'x', dx }),
            Plot.ruleX(own, { x: 'x', y1: 'low', y2: 'high', stroke: colour, dx }),
            Plot.dot(own, {
              x: 'x',
              y: 'value',
              fill: colourOf('line'),
              symbol: symbolOf('line'),
              r: 5,
              dx,
              title: 'title',
            }),
          ];
        }),
      ],
    });
    return { title: group.title, drawing };
  });
  return arrange(panels, frame, legend);
}

type Contrast = ContrastGroup['contrasts'][number];

function linesOf({ contrasts }: ContrastGroup): string[] {
  const [, lines] = factorsOf(contrasts, contrasts.find(({ name }) => name === INTERACTION)!);
  return [`not: ${lines!.name}`, lines!.name];
}
