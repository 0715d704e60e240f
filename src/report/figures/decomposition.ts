/** Figures of what a total is made of: its parts in nats, and what share of it each is. */
import * as Plot from '@observablehq/plot';
import type { ContrastGroup } from '../../runs/schema/experiment.js';
import type { ContrastGroupSummary } from '../../runs/schema/summary.js';
import { nats, percent, withInterval } from '../words/format.js';
import { arrange, commonDomain, type Drawing, draw, type Frame, rowAxis, rowMargin, X_LABEL } from './draw.js';
import { NEUTRAL_COLOUR } from './series.js';

const PART_COLOUR = '#0072b2';

/** The parts that one total is divided into. */
export interface Decomposition {
  readonly title: string;
  readonly total: Contrasted;
  readonly parts: readonly Contrasted[];
  /** What the parts are of the total, in words. */
  readonly about: string;
}

type Contrasted = ContrastGroupSummary['contrasts'][number];

/**
 * What a group decomposes: for each total the parts that add up to it, and apart from these the parts beside them, which measure some of the same again.
 * @param declared the contrasts of the group with their terms, by which parts add up
 */
export function decompositionsOf(
  { title, contrasts }: ContrastGroupSummary,
  { contrasts: declared }: Pick<ContrastGroup, 'contrasts'>,
): Decomposition[] {
  const totals = contrasts.filter(({ name }) => contrasts.some(({ share_of }) => share_of === name));
  return totals.flatMap((total) => {
    const named = totals.length > 1 ? `${title}, ${total.name.replaceAll(':', '')}` : title;
    const all = contrasts.filter(({ share_of }) => share_of === total.name);
    const whole = addingUp(all, total, declared);
    const beside = all.filter((part) => !whole.includes(part));
    if (whole.length === 0) return [{ title: named, total, parts: all, about: 'its parts' }];
    const apart = {
      title: `${named}, further parts`,
      total,
      parts: beside,
      about: 'parts that overlap with each other: not to be added up',
    };
    return [
      { title: named, total, parts: whole, about: 'the parts that add up to it' },
      ...(beside.length > 0 ? [apart] : []),
    ];
  });
}

/** The most parts of which every choice is tried. */
const MOST_PARTS = 12;

/** The largest choice of parts whose terms add up to the total's, the first of equals; none where no choice does. */
function addingUp(parts: readonly Contrasted[], total: Contrasted, declared: ContrastGroup['contrasts']): Contrasted[] {
  const termsOf = ({ name }: Contrasted) => declared.find((contrast) => contrast.name === name)?.terms ?? {};
  const names = [...new Set([total, ...parts].flatMap((contrast) => Object.keys(termsOf(contrast))))];
  if (names.length === 0 || parts.length > MOST_PARTS) return [];
  const isWhole = (chosen: readonly Contrasted[]) =>
    names.every((name) => {
      const sum = chosen.reduce((sum, part) => sum + (termsOf(part)[name] ?? 0), 0);
      return Math.abs(sum - (termsOf(total)[name] ?? 0)) < 1e-9;
    });
  let best: Contrasted[] = [];
  for (let choice = 1; choice < 1 << parts.length; choice++) {
    const chosen = parts.filter((_, i) => choice & (1 << i));
    if (chosen.length > best.length && isWhole(chosen)) best = chosen;
  }
  return best;
}

/** Bars of a total and its parts in nats, so that they have their signs; behind each part what share of the total it is, where that is defined. */
export function decompositionPlot({ title, total, parts }: Decomposition, frame: Frame): Drawing {
  const rows = [total, ...parts].map((contrast) => ({
    name: contrast.name,
    ...contrast.gain.mean,
    fill: contrast === total ? NEUTRAL_COLOUR : PART_COLOUR,
    said: contrast === total ? 'the whole' : shareIn(contrast),
    title: `${contrast.name}\n${withInterval(contrast.gain.mean, nats)} nats a token`,
  }));
  const [low, high] = commonDomain(rows);
  const names = rows.map(({ name }) => name);
  const margin = rowMargin(names, frame);
  const plot = draw({
    width: frame.width,
    height: 66 + rows.length * 24,
    marginLeft: margin,
    marginRight: rowMargin(
      rows.map(({ said }) => said),
      frame,
    ),
    x: { ...X_LABEL, domain: [low, high], label: 'nats per token [95%]; right: % of the whole', grid: true },
    y: rowAxis(names, margin),
    marks: [
      Plot.barX(rows, {
        x: 'value',
        y: 'name',
        fill: 'fill',
        fillOpacity: 0.7,
        insetTop: 3,
        insetBottom: 3,
        title: 'title',
      }),
      Plot.ruleY(rows, { x1: 'low', x2: 'high', y: 'name', stroke: 'currentColor', strokeWidth: 1.5 }),
      Plot.ruleX([0], { stroke: '#888' }),
      Plot.text(rows, { y: 'name', frameAnchor: 'right', textAnchor: 'start', dx: 8, text: 'said' }),
    ],
  });
  return arrange([{ title, drawing: plot }], frame);
}

function shareIn({ share, gain }: Contrasted): string {
  const bounded = (share.shape ?? 'interval') === 'interval';
  return share.value === null || gain.mean.value === null || !bounded ? 'no share' : `${percent(share.value)}%`;
}
