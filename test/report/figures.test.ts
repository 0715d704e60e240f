import { Script } from 'node:vm';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { positionsOrContent } from '../../src/experiments/catalogue/positions-or-content.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { contrastPlot, isTwoByTwo, twoByTwoPlot } from '../../src/report/figures/contrasts.js';
import { axisOf } from '../../src/report/figures/curves.js';
import { decompositionPlot, decompositionsOf } from '../../src/report/figures/decomposition.js';
import { arrange, brokenInto, type Drawing, draw, NARROW, rowsAxis, WIDE } from '../../src/report/figures/draw.js';
import { effectPlot } from '../../src/report/figures/effects.js';
import { seriesAmong, seriesOf } from '../../src/report/figures/series.js';
import { TABLE_SCRIPT } from '../../src/report/formats/table-script.js';
import { gainGroups } from '../../src/report/tables/gains.js';
import { number, renderHtml, text } from '../../src/report/tables/table.js';
import { signed, withInterval } from '../../src/report/words/format.js';
import { prefixesOf } from '../../src/report/words/labels.js';
import type { ContrastGroupSummary } from '../../src/runs/schema/summary.js';
import { madeRun } from './made-run.js';

const { summary } = madeRun(truncation, { samples: 12 });

describe('figures', () => {
  it('name prefixes as tables do, in the same colour everywhere, and say their numbers where the pointer rests', () => {
    const { experiment } = summary.configuration;
    expect(prefixesOf(experiment)).toEqual(['bare', 'oracle', 'surr_para', 'surr_doc']);
    expect(prefixesOf(positionsOrContent)).toContain('neutralized');
    const [all, some] = [
      ['a', 'b', 'c'],
      ['c', 'other', 'a'],
    ];
    expect(seriesAmong(all, some).map(({ name }) => name)).toEqual(['a', 'c', 'other']);
    expect(seriesAmong(all, some)[1]).toEqual(seriesOf(all)[2]);
    const [exact] = gainGroups(summary).filter(({ slug }) => slug === 'exact');
    const { svg } = effectPlot(summary, [exact!], WIDE);
    const { gain } = exact!.comparisons.find(({ treatment }) => treatment === 'surr_doc_d')!;
    expect(svg).toContain(
      `<title>surr_doc_d against bare_d\nmean gain ${withInterval(gain.mean, (x) => signed(x, 3))} nats a token`,
    );
    expect(svg.match(/Prefix hidden exactly/g)).toHaveLength(1);
    expect(svg.indexOf('mean, nats')).toBeLessThan(svg.indexOf('robust d [95%]; hollow'));
  });

  it('divide each total in a figure of its own, in nats, so that a loss is shown as one', () => {
    const estimate = (value: number) => ({ value, low: value - 0.1, high: value + 0.1 });
    const [of] = summary.comparisons;
    const contrast = (name: string, value: number, share_of?: string) =>
      ({
        name,
        gain: { ...of!.gain, mean: estimate(value) },
        share: { value: 0.6, low: null, high: null },
        ...(share_of && { share_of }),
      }) as ContrastGroupSummary['contrasts'][number];
    const contrasts = [contrast('T', -0.5), contrast('H', -0.3, 'T'), contrast('S', 1), contrast('V', 0.6, 'S')];
    const group = { title: 'doc_kw', contrasts, decomposition: true, equivalence_margin: null, note: '' };
    const parts = decompositionsOf(group as unknown as ContrastGroupSummary, { contrasts: [] });
    expect(parts.map(({ title, parts }) => [title, ...parts.map(({ name }) => name)])).toEqual([
      ['doc_kw, T', 'H'],
      ['doc_kw, S', 'V'],
    ]);
    const { svg } = decompositionPlot(parts[0]!, WIDE);
    expect(svg).toContain('<title>H\n−0.300 [−0.400, −0.200] nats a token');
    expect(svg).toContain('60%');
  });

  it('show apart from the parts of a total what measures some of them again', () => {
    const [of] = summary.comparisons;
    const named = (name: string, terms: Record<string, number>, share_of?: string) => ({
      name,
      terms,
      ...(share_of && { share_of }),
    });
    const declared = [
      named('T', { a: 1, d: -1 }),
      named('P', { a: 1, b: -1 }, 'T'),
      named('Q', { b: 1, c: -1 }, 'T'),
      named('R', { c: 1, d: -1 }, 'T'),
      named('Q and R', { b: 1, d: -1 }, 'T'),
    ];
    const contrasts = declared.map(({ terms, ...contrast }) => ({ ...contrast, gain: of!.gain }));
    const group = { title: 'doc_kw', contrasts } as unknown as ContrastGroupSummary;
    const parts = decompositionsOf(group, { contrasts: declared });
    expect(parts.map(({ title, about, parts }) => [title, about, ...parts.map(({ name }) => name)])).toEqual([
      ['doc_kw', 'the parts that add up to it', 'P', 'Q', 'R'],
      ['doc_kw, further parts', 'parts that overlap with each other: not to be added up', 'Q and R'],
    ]);
  });

  it('stand one below the other on a small screen, each with the names of its rows', () => {
    const groups = gainGroups(summary);
    const [wide, narrow] = [effectPlot(summary, groups, WIDE), effectPlot(summary, groups, NARROW)];
    expect(narrow.width).toBe(NARROW.width);
    expect(narrow.height).toBeGreaterThan(wide.height);
    const times = ({ svg }: Drawing) => svg.match(/>surr_doc_d<\/text>/g)?.length;
    expect([times(wide), times(narrow)]).toEqual([1, 2]);
    expect(brokenInto('mean gain, nats a token; hollow: trimmed', 200)).toEqual([
      'mean gain, nats a token;',
      'hollow: trimmed',
    ]);
    expect(brokenInto('random_matched_published', 120)).toEqual(['random_matched_', 'published']);
  });

  it('say where a panel has nothing to show', () => {
    const contrast = summary.comparisons[0]!;
    const same = { value: 0, low: 0, high: 0 };
    const gain = { ...contrast.gain, mean: same, d: { value: null, low: null, high: null } };
    const group = { title: 'Same', contrasts: [{ name: 'a', gain }], equivalence_margin: null };
    const { svg } = contrastPlot(summary, [group as unknown as ContrastGroupSummary], WIDE);
    expect(svg.match(/d is not defined: the samples do not differ/g)).toHaveLength(1);
  });

  it('take a series that is called like a colour or a mark for no colour and no mark', () => {
    const { svg } = arrange([], WIDE, [seriesOf(['none'])[0]!, seriesOf(['star'])[0]!]);
    expect(svg).not.toContain('fill="none" d=');
    expect(svg.match(/<path fill="#0072b2"/g)).toHaveLength(2);
  });

  it('say once what the ticks of a row share, each of which stays a shape of its own', () => {
    const { svg } = draw({ width: 400, height: 60, marks: [Plot.tickX([1, 2, 4], { stroke: () => '#0072b2' })] });
    const [, ticks] = /<g stroke="#0072b2">(.*?)<\/g>/.exec(svg)!;
    expect(ticks).toMatch(/^(<path d="M[0-9.]+ [0-9.]+V[0-9.]+" \/>){3}$/);
    const places = [...ticks!.matchAll(/M([0-9.]+)/g)].map(([, x]) => Number(x));
    expect((places[2]! - places[1]!) / (places[1]! - places[0]!)).toBeCloseTo(2, 1);
  });

  it('break a title that is too long and stand their axis above tall ones as well', () => {
    const drawing = { svg: '<svg ></svg>', width: 200, height: 10 };
    const { svg, height } = arrange([{ title: 'a title of many words that needs two lines', drawing }], NARROW);
    expect(svg.match(/font-size="13"/g)).toHaveLength(2);
    expect(height).toBe(10 + 20 + 16);
    expect([rowsAxis(5), rowsAxis(40)]).toEqual([{}, { axis: 'both' }]);
  });

  it('give a contrast the colour of the prefix that it is about, and say its cells of a two by two', () => {
    const crossed = madeRun(positionsOrContent, { samples: 12 }).summary;
    const { experiment } = crossed.configuration;
    const groups = experiment.contrasts.filter(isTwoByTwo);
    expect(twoByTwoPlot(crossed, groups, WIDE).svg).toMatch(/<title>.* against .*\ngain [+−].* nats a token<\/title>/);
    const [oracle] = seriesAmong(prefixesOf(summary.configuration.experiment), ['oracle']);
    const retention = summary.contrasts.find(({ title }) => title === 'Retention')!;
    const { svg } = contrastPlot(summary, [retention], WIDE);
    for (const { name } of retention.contrasts) expect(svg).toContain(`>${name}</text>`);
    expect(svg.match(new RegExp(`fill="${oracle!.colour}"[^>]*><title>oracle: `, 'g'))?.length).toBeGreaterThan(1);
    expect(svg).not.toMatch(new RegExp(`fill="${oracle!.colour}"[^>]*><title>surr_`));
  });

  it('keep up to 42 series apart', () => {
    const series = seriesOf(Array.from({ length: 42 }, (_, i) => String(i)));
    expect(new Set(series.map(({ colour, symbol }) => colour + symbol)).size).toBe(42);
  });

  it('choose the axis by the numbers on it', () => {
    expect(axisOf([1, 3, 50])).toMatchObject({ type: 'log' });
    expect(axisOf([1, 2, 3])).toMatchObject({ type: 'linear' });
    expect(axisOf([0, 50])).toMatchObject({ type: 'linear' });
    expect(axisOf(['orig', 256])).toMatchObject({ type: 'point', domain: ['orig', 256] });
  });
});

describe('tables in a page', () => {
  it('are sorted by a click on a head, numbers by their value, and what has none stands last', () => {
    expect(TABLE_SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval/);
    const rows = [
      ['a', '−0.5 [−1, 0]'],
      ['b', '+1,000'],
      ['c', '–'],
      ['d', '2.0e−4'],
    ];
    const html = renderHtml({ columns: [text('name'), number('gain')], rows });
    const { document } = parseHTML(`<!doctype html><html><body><div class="wide">${html}</div></body></html>`);
    for (const [i, cell] of [...document.querySelectorAll('th')].entries()) Object.assign(cell, { cellIndex: i });
    for (const row of document.querySelectorAll('tr')) Object.assign(row, { cells: [...row.children] });
    Object.assign(document.querySelector('table')!, {
      tBodies: [Object.assign(document.querySelector('tbody')!, { rows: [...document.querySelectorAll('tbody tr')] })],
    });
    new Script(TABLE_SCRIPT).runInNewContext({ document });
    const names = () => [...document.querySelectorAll('tbody tr')].map((row) => row.children[0]!.textContent).join('');
    const [byName, byGain] = [...document.querySelectorAll('th')];
    byGain!.click();
    expect([names(), byGain!.getAttribute('aria-sort')]).toEqual(['adbc', 'ascending']);
    byGain!.click();
    expect([names(), byGain!.getAttribute('aria-sort')]).toEqual(['bdac', 'descending']);
    byName!.click();
    expect([names(), byGain!.getAttribute('aria-sort')]).toEqual(['abcd', null]);
  });
});
