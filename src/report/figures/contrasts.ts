/** Figures of contrast groups: shares of a decomposition, head-to-heads, two by twos. */
import * as Plot from '@observablehq/plot';
import type { ContrastGroup } from '../../runs/schema/experiment.js';
import type { GainRecord } from '../../runs/schema/gains.js';
import type { ContrastGroupSummary, Summary } from '../../runs/schema/summary.js';
import type { Estimate } from '../../stats/gains.js';
import {
  arrange,
  commonDomain,
  type Drawing,
  draw,
  rowMargin,
  scalesOf,
  seriesOf,
  WIDTH,
  X_LABEL,
  Y_LABEL,
  Y_MARGIN,
} from './draw.js';

const COLOUR = '#0072b2';

/** Tells whether any group's share is defined for all its parts. Otherwise bars show nats. */
function sharesDefined(groups: readonly ContrastGroupSummary[]): boolean {
  return groups.every(({ contrasts }) =>
    contrasts.every(
      ({ share_of, share }) =>
        share_of === undefined || (share.value !== null && (share.shape ?? 'interval') === 'interval'),
    ),
  );
}

/** The ends of a bar. A set that is not bounded has no bar. */
function bounded({ shape = 'interval', ...share }: ContrastGroupSummary['contrasts'][number]['share']): Estimate {
  return shape === 'interval' ? share : { ...share, low: null, high: null };
}

/** Bars of the parts of each group, with intervals: shares of the whole, or nats where a share is undefined. */
export function decompositionPlot(groups: readonly ContrastGroupSummary[]): Drawing {
  const asShares = sharesDefined(groups);
  const titled = groups.map(({ title, contrasts }) => {
    const parts = contrasts.filter(({ share_of }) => share_of !== undefined || !asShares);
    const rows = parts.map(({ name, share, gain }) => {
      const scaled = (x: number | null) => (x === null ? null : x * (asShares ? 100 : 1));
      const { value, low, high } = asShares ? bounded(share) : gain.mean;
      return { name, value: scaled(value), low: scaled(low), high: scaled(high) };
    });
    return { title, rows };
  });
  const all = titled.flatMap(({ rows }) => rows);
  const panels = titled.map(({ title, rows }) => {
    const drawing = draw({
      height: 70 + rows.length * 24,
      marginLeft: rowMargin(all.map(({ name }) => name)),
      x: {
        ...X_LABEL,
        domain: commonDomain(all),
        label: asShares ? '% of the whole [95%]' : 'nats per token [95%]',
        grid: true,
      },
      y: { label: null, domain: rows.map(({ name }) => name) },
      marks: [
        Plot.barX(rows, { x: 'value', y: 'name', fill: COLOUR, fillOpacity: 0.45, insetTop: 3, insetBottom: 3 }),
        Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'name', stroke: '#222', strokeWidth: 1.5 }),
        Plot.ruleX([0], { stroke: '#888' }),
      ],
    });
    return { title, drawing };
  });
  return arrange(panels);
}

/** The mean of each contrast in standard deviations of the samples, d, with the interval of the mean; and the margin of equivalence where one is set. */
export function contrastPlot(groups: readonly ContrastGroupSummary[]): Drawing {
  const all = groups.flatMap(({ contrasts }) => contrasts);
  const names = all.map(({ name }) => name);
  const domain = commonDomain(all.map(({ gain }) => inDeviations(gain)));
  const panels = groups.map(({ title, contrasts, equivalence_margin }) => {
    const rows = contrasts.map(({ name, gain }) => ({ name, ...inDeviations(gain) }));
    const margin = equivalence_margin === null ? [] : [{ x1: -equivalence_margin, x2: equivalence_margin }];
    const drawing = draw({
      height: 70 + rows.length * 24,
      marginLeft: rowMargin(names),
      x: { ...X_LABEL, domain, label: margin.length > 0 ? 'd [95%]; shaded: equivalent to 0' : 'd [95%]', grid: true },
      y: { label: null, domain: rows.map(({ name }) => name) },
      marks: [
        Plot.rectX(margin, { x1: 'x1', x2: 'x2', fill: '#009e73', fillOpacity: 0.15 }),
        Plot.ruleX([0], { stroke: '#888' }),
        Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'name', stroke: COLOUR, strokeWidth: 2.5 }),
        Plot.dot(rows, { x: 'value', y: 'name', fill: COLOUR, r: 5 }),
      ],
    });
    return { title, drawing };
  });
  return arrange(panels);
}

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
export function twoByTwoPlot(summary: Summary, groups: readonly ContrastGroup[]): Drawing {
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
      };
    });
    const drawing = draw({
      width: WIDTH / 2,
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
            Plot.dot(own, { x: 'x', y: 'value', fill: 'line', symbol: 'line', r: 5, dx }),
          ];
        }),
      ],
    });
    return { title: group.title, drawing };
  });
  return arrange(panels, { columns: 2, legend });
}

type Contrast = ContrastGroup['contrasts'][number];

function linesOf({ contrasts }: ContrastGroup): string[] {
  const [, lines] = factorsOf(contrasts, contrasts.find(({ name }) => name === INTERACTION)!);
  return [`not: ${lines!.name}`, lines!.name];
}
