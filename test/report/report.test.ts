import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { gainDecomposition } from '../../src/experiments/catalogue/gain-decomposition.js';
import { positionsOrContent } from '../../src/experiments/catalogue/positions-or-content.js';
import { prefixContent } from '../../src/experiments/catalogue/prefix-content.js';
import { productRanking } from '../../src/experiments/catalogue/product-ranking.js';
import { surrogateSweep } from '../../src/experiments/catalogue/surrogate-sweep.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import type { Block, Section } from '../../src/report/content/block.js';
import { contentOf } from '../../src/report/content/content.js';
import { hardnessComparisons } from '../../src/report/figures/effects.js';
import { escapeLatex, latexTable } from '../../src/report/formats/latex.js';
import { type ReportFormat, writeReports } from '../../src/report/report.js';
import { effectColumns } from '../../src/report/tables/effect.js';
import {
  gainGroups,
  gainTable,
  hardnessTable,
  relativeTable,
  reliabilityNote,
  statisticsTable,
} from '../../src/report/tables/gains.js';
import { rankingTestTable } from '../../src/report/tables/ranking.js';
import { shortTables } from '../../src/report/tables/short.js';
import { renderHtml, renderMarkdown, renderText } from '../../src/report/tables/table.js';
import { fixed, percent, pValue, signed, withInterval } from '../../src/report/words/format.js';
import { finding, headline } from '../../src/report/words/headline.js';
import { legend } from '../../src/report/words/legend.js';
import { methods, sampleNotes, warnings } from '../../src/report/words/notes.js';
import { workedSample } from '../../src/report/words/worked-sample.js';
import type { GainRecord } from '../../src/runs/schema/gains.js';
import type { FinishedRun } from '../../src/runs/schema/run.js';
import type { Summary } from '../../src/runs/schema/summary.js';
import type { Estimate } from '../../src/stats/gains.js';
import { temporaryFolder } from '../support/fixtures.js';
import { type MadeRun, madeRun, writeRun } from './made-run.js';

const BUILT_IN: MadeRun = { samples: 60, model: { name: 'tiny', built_in: true } };
/** Statistics of many comparisons take time. */
const FEW: MadeRun = { samples: 12 };

const builtIn = madeRun({ ...truncation, title: 'A <b>title</b> & more' }, BUILT_IN);

const RECORD = {
  started_at: '2030-01-02T03:04:05Z',
  versions: {},
  git_revision: null,
} as unknown as FinishedRun['record'];

function sectionsOf(run: Omit<FinishedRun, 'record'>, noText = false): Section[] {
  const machine = { platform: 'a', cpu: 'b', cores: 1, memory_gb: 1 };
  return contentOf({ ...run, record: { ...RECORD, machine, configuration: run.summary.configuration } }, { noText });
}

const blocksOf = (sections: readonly Section[]): Block[] => sections.flatMap(({ blocks }) => blocks);
const namesOf = (sections: readonly Section[], kind: 'table' | 'figure') =>
  blocksOf(sections).flatMap((block) => (block.kind === kind ? [block.name] : []));

/** Rows of all tables have a cell for every column, and no cell shows that a value is missing. */
function expectWhole(run: Omit<FinishedRun, 'record'>): void {
  const tables = blocksOf(sectionsOf(run)).flatMap((block) => (block.kind === 'table' ? [block] : []));
  for (const { name, table } of [...tables, ...shortTables(run.summary).map((table) => ({ name: 'short', table }))]) {
    for (const row of table.rows) {
      expect(row, name).toHaveLength(table.columns.length);
      for (const cell of row) expect(cell, name).not.toMatch(/NaN|undefined|null/);
    }
  }
}

describe('tables', () => {
  const table = {
    columns: [
      { title: 'name', numeric: false },
      { title: 'µ', numeric: true },
    ],
    rows: [
      ['a|b', '−1.5'],
      ['<i>_&', '10'],
    ],
  };

  it('are aligned on a terminal', () => {
    expect(renderText(table)).toBe(['name      µ', '───────────', 'a|b    −1.5', '<i>_&    10'].join('\n'));
  });

  it('are Markdown', () => {
    expect(renderMarkdown(table)).toBe(
      ['| name | µ |', '| --- | ---: |', '| a\\|b | −1.5 |', '| &lt;i>_& | 10 |'].join('\n'),
    );
  });

  it('are escaped HTML', () => {
    expect(renderHtml(table)).toContain('<td>&lt;i&gt;_&amp;</td><td class="number">10</td>');
  });

  it('are LaTeX', () => {
    const latex = latexTable({ kind: 'table', name: 'x', title: '5% & more', table }, 'Smoke run.');
    expect(latex).toContain('\\begin{tabular}{lr}');
    expect(latex).toContain('\\caption{5\\% \\& more. Smoke run.}\\label{tab:x}');
    expect(latex).toContain('\\textless{}i\\textgreater{}\\_\\& & 10 \\\\');
    expect(latex).toContain('a|b & $-$1.5 \\\\');
    const long = { ...table, rows: Array.from({ length: 60 }, () => ['a', 'b']) };
    expect(latexTable({ kind: 'table', name: 'x', title: 'long', table: long }, '')).toContain('\\begin{longtable}');
    expect(escapeLatex('\\{}$#_~^[1]')).toBe(
      '\\textbackslash{}\\{\\}\\$\\#\\_\\textasciitilde{}\\textasciicircum{}{[}1{]}',
    );
  });
});

describe('numbers', () => {
  it('have a sign, a true minus and a dash for nothing', () => {
    expect([fixed(-1.25, 1), signed(0.5, 2), signed(-0.5, 2), signed(0, 1), percent(0.423), percent(null)]).toEqual([
      '−1.3',
      '+0.50',
      '−0.50',
      '0.0',
      '42',
      '–',
    ]);
    expect([fixed(-0.0004, 3), signed(-0.0004, 3), signed(0.0004, 3), fixed(-0, 1)]).toEqual([
      '0.000',
      '0.000',
      '0.000',
      '0.0',
    ]);
    // What is small and not 0 is not written as 0.
    const small = { value: 4.2e-8, low: -1e-9, high: 7.3e-8 };
    expect(withInterval(small, (x) => signed(x, 3))).toBe('+4.2e−8 [−1.0e−9, +7.3e−8]');
    expect(withInterval({ value: 4.2e-8, low: null, high: null }, (x) => percent(x))).toBe('4.2e−6');
    expect(withInterval({ value: 0, low: 0, high: 0 }, (x) => signed(x, 3))).toBe('0.000 [–]');
    expect(withInterval({ value: 0.002, low: -0.0001, high: 0.004 }, (x) => signed(x, 3))).toBe(
      '+0.002 [0.000, +0.004]',
    );
    expect(withInterval({ value: 1, low: -1, high: 2 }, (x) => signed(x, 1))).toBe('+1.0 [−1.0, +2.0]');
    expect(withInterval({ value: 1, low: null, high: null }, (x) => signed(x, 1))).toBe('+1.0');
    expect(withInterval({ value: null, low: null, high: null }, (x) => signed(x, 1))).toBe('–');
  });

  it('do not claim more of a p than it says', () => {
    expect([0.5, 0.0123, 0.00012, 1e-14, 1e-16, 0, null].map(pValue)).toEqual([
      '0.500',
      '0.012',
      '1.2e−4',
      '1.0e−14',
      '< 1e-15',
      '< 1e-15',
      '–',
    ]);
  });
});

describe('gains', () => {
  const { summary } = builtIn;

  it('are warned of for a smoke run and for the built-in model', () => {
    expect(warnings({ ...summary, contrasts: [] })).toEqual([
      'Smoke run: no conclusions. 60 samples; the protocol asks for 200.',
      expect.stringContaining('Results of the built-in model'),
    ]);
    const other = madeRun(truncation).summary;
    expect(warnings({ ...other, smoke_run: false })).toEqual([]);
    const rejected = ['1', '12', '2'].map((sample) => ({
      sample,
      rejected: `${sample} has nothing in the column "brand".`,
    }));
    const gaps = {
      ...other.samples,
      scored: 9,
      rejected: [...rejected, { sample: '3', rejected: 'the answer is empty' }],
    };
    expect(warnings({ ...other, smoke_run: false, samples: gaps })).toEqual([
      '4 of 13 samples were rejected and are in no number (3: it has nothing in the column "brand"; 1: the answer is empty).',
    ]);
    const broken = { name: 'A/A', samples: 3, largest: 1, holds: false };
    expect(warnings({ ...other, smoke_run: false, identities: [broken] })).toEqual([expect.stringContaining('A/A')]);
  });

  it('stand below their lower bound, the upper bound last, the gain beside the names and what can be deployed behind', () => {
    const groups = gainGroups(summary);
    expect(groups.map(({ slug }) => slug)).toEqual(['full', 'published', 'exact']);
    const { columns, rows } = gainTable(summary, groups[2]!.comparisons);
    expect(columns[2]!.title).toBe('mean gain, nats [95%]');
    expect(rows.map((row) => [...row.slice(0, 2), ...row.slice(-3)])).toEqual([
      ['bare_d', '–', 'lower bound', 'yes', '0'],
      ['surr_para_d', 'bare_d', 'middle', 'no', '0'],
      ['surr_doc_d (primary)', 'bare_d', 'middle', 'yes', '0'],
      ['oracle_d', 'bare_d', 'upper bound', 'no', '0'],
    ]);
    expect(rows[3]!.at(-4)).toBe('100');
    for (const place of [-4, -5]) expect(rows[2]!.at(place)).toMatch(/^\d+ \[\d+, \d+\]$/);
    expect(shortTables(summary)[0]!.rows).toHaveLength(9);
    // More than all of a gain, or less than nothing of it, is no percentage of it.
    const shares = [0.31, 1.8, -0.2].map((top_share) => {
      const effect = effectColumns([{ ...summary.comparisons[0]!.gain, top_share }]);
      const gain = { ...summary.comparisons[0]!.gain, top_share };
      return effect.cells(gain)[effect.columns.findIndex(({ title }) => title === '25 largest %')];
    });
    expect(shares).toEqual(['31', '> 100', '< 0']);
  });

  it('of the document itself have a figure of their own, because their scale would press all others together', () => {
    const { conditions, comparisons } = truncation;
    const run = madeRun(
      {
        ...truncation,
        conditions: [...conditions, { name: 'no_document', document: 'none', visibility: 'full' }],
        comparisons: [...comparisons, { treatment: 'bare', baseline: 'no_document', family: 'the document itself' }],
      },
      FEW,
    );
    const [last, ...others] = gainGroups(run.summary).toReversed();
    expect(last!.comparisons.map(({ baseline }) => baseline)).toEqual(['no_document']);
    expect(others.flatMap(({ comparisons }) => comparisons.map(({ baseline }) => baseline))).not.toContain(
      'no_document',
    );
    const figures = blocksOf(sectionsOf(run)).flatMap((block) => (block.kind === 'figure' ? [block] : []));
    const titlesOf = (name: string) => figures.find((figure) => figure.name === name)!.drawing.svg;
    expect(hardnessComparisons(run.summary).map(({ baseline }) => baseline)).not.toContain('no_document');
    for (const kind of ['effects', 'differences']) {
      expect(titlesOf(kind)).not.toContain('against none');
      expect(titlesOf(`${kind}-the-document-itself`)).toContain('against none');
    }
  });

  it('never show a p without effect and interval', () => {
    for (const table of [gainTable(summary, summary.comparisons), statisticsTable(summary, summary.comparisons)]) {
      const titles = table.columns.map(({ title }) => title);
      expect(titles.findIndex((title) => title.startsWith('d'))).toBeLessThan(titles.findIndex((t) => /^p\b/.test(t)));
      for (const row of table.rows) {
        expect(row).toHaveLength(titles.length);
        for (const cell of row) expect(cell).not.toMatch(/NaN|undefined|null/);
      }
    }
  });

  it('have no share of an oracle that does not gain', () => {
    const [first] = summary.comparisons;
    const losing = { ...first!, treatment: 'surr_doc_full', authors_share: null };
    expect(gainTable(summary, [losing]).rows.at(-1)!.at(-4)).toBe('–');
  });

  it('are headed by the primary comparison, judged by the margin only when the run is large enough', () => {
    expect(headline(summary)).toMatch(
      /^Primary comparison, named beforehand: surr_doc_d against bare_d, .* percent of the oracle’s gain of \+.* nats \(of trimmed means .*\)\.$/,
    );
    const full: Summary = { ...summary, smoke_run: false };
    expect(headline(full)).toContain('by the margin fixed beforehand (80% or more of the mean) it does not work.');
    expect(headline(full)).toMatch(/; trimmed mean \+[\d.]+ \[.*\], robust d \+/);
    const works = summary.comparisons.map((c) => ({ ...c, share: { value: 0.9, low: 0.85, high: 1 } }));
    expect(headline({ ...full, comparisons: works })).toContain('it works.');
    const open = summary.comparisons.map((c) => ({ ...c, share: { value: 0.9, low: 0.5, high: 1 } }));
    expect(headline({ ...full, comparisons: open })).toContain('does not decide');
    const unbounded = { value: 0.9, low: -0.5, high: 0.3, shape: 'outside' as const };
    const untold = summary.comparisons.map((c) => ({ ...c, share: unbounded }));
    expect(headline({ ...full, comparisons: untold })).toMatch(/90 \[≤ −50 or ≥ 30\].*not bounded/);
  });

  it('are found in words first, with their direction', () => {
    const primary = summary.comparisons.find(({ treatment }) => treatment === 'surr_doc_d')!;
    const withMean = (value: number, low: number | null, high: number | null, trimmed?: Estimate): Summary => {
      const mean = { value, low, high };
      const gain = { ...primary.gain, mean, trimmed_mean: trimmed ?? mean };
      return { ...summary, smoke_run: false, contrasts: [], comparisons: [{ ...primary, gain }] };
    };
    expect(finding(withMean(-0.58, -0.78, -0.43))).toMatch(
      /^The document.* in front of the document \(hidden from the decoder\) made answers harder to predict than the document alone did: −0\.580 \[−0\.780, −0\.430\] nats a token \(surr_doc_d against bare_d\)\.$/,
    );
    expect(finding(withMean(0.58, 0.43, 0.78))).toContain('made answers easier to predict');
    expect(finding(withMean(0.01, -0.43, 0.78))).toMatch(
      /^T.* had no effect on answers that can be told from 0, against the document alone: \+0\.010/,
    );
    expect(finding(withMean(0.01, null, null))).toMatch(/^Too few independent samples to tell .* without an interval/);
    // A smoke run says so first, and means that disagree are both told.
    expect(finding({ ...withMean(0.58, 0.43, 0.78), smoke_run: true })).toMatch(
      /^In this smoke run, the document.* made answers easier/,
    );
    const [told, untold] = [
      { value: 0.2, low: 0.1, high: 0.3 },
      { value: 0.2, low: -0.1, high: 0.3 },
    ];
    const dissent = (own: typeof told, trimmed: typeof told) =>
      finding(withMean(own.value, own.low, own.high, trimmed));
    expect(dissent(told, untold)).toMatch(/ The trimmed mean cannot be told from 0: \+0\.200 \[−0\.100, \+0\.300\]\.$/);
    expect(dissent(untold, told)).toMatch(/ The trimmed mean can be told from 0: /);
    expect(dissent(told, { value: -0.2, low: -0.3, high: -0.1 })).toMatch(/ The trimmed mean says the opposite: /);
    expect(dissent(told, told)).not.toContain('The trimmed mean');
    const ranked = madeRun(productRanking, { samples: 96, candidates: 6 }).summary;
    expect(finding(ranked)).toMatch(/rankings .*: AUC [+−]?0\.\d+ \[.*\] \(doc_kw_d against bare_d\)\.$/);
    expect(finding({ ...summary, comparisons: [] })).toBeUndefined();
  });

  it('have a legend of what is in their table on a terminal', () => {
    const lines = legend(summary);
    for (const start of ['…_full: ', '…_published: ', '…_d: ', 'bare: ', 'bare_d: ', 'gain: ']) {
      expect(lines.filter((line) => line.startsWith(start))).toHaveLength(1);
    }
    const exact = summary.comparisons.filter(({ treatment }) => treatment.endsWith('_d'));
    expect(legend({ ...summary, comparisons: exact }).map((line) => line.split(':')[0])).toEqual([
      '…_d',
      'bare_d',
      'oracle',
      'surr_para',
      'surr_doc',
      'gain',
    ]);
    expect(lines).toContain(
      'surr_para: the query’s keywords, reversed; it needs the query, so it cannot be used for unknown queries.',
    );
    expect(lines).toContain('surr_doc: the document’s five most frequent keywords.');
    expect(legend({ ...summary, comparisons: [] })).toEqual([]);
  });

  it('say in the legend what the decoder sees of a document alone by its condition, whatever it is called', () => {
    const { configuration } = summary;
    const { experiment } = configuration;
    const conditions = experiment.conditions.map((condition) =>
      condition.name === 'bare' ? { ...condition, visibility: 'exact' as const } : condition,
    );
    const hidden = { ...summary, configuration: { ...configuration, experiment: { ...experiment, conditions } } };
    const bare = 'bare: the document encoded alone; the decoder sees';
    expect(legend(summary)).toContain(`${bare} all of its rows.`);
    expect(legend(hidden)).toContain(`${bare} only its document’s rows.`);
  });

  it('answer how much of a gain stays when the prefix is hidden, where it has one in full view', () => {
    const withView = (value: number, low: number, high: number) => ({
      ...summary,
      smoke_run: false,
      contrasts: summary.contrasts.map((group) => ({
        ...group,
        contrasts: group.contrasts.map((contrast) => {
          const share = { value: 0.96, low: 0.92, high: 1.02, shape: 'interval' as const };
          const gain = { ...contrast.gain, mean: { value, low, high } };
          return contrast.share_of === undefined ? { ...contrast, gain } : { ...contrast, share_fieller: share };
        }),
      })),
    });
    expect(finding(withView(1.2, 1, 1.4))).toMatch(
      /^Hidden from the decoder, the real query keeps 96 \[92, 102\] percent, .* of its own gain in full view\. The document/,
    );
    expect(finding(withView(-0.1, -0.2, 0.1))).toMatch(
      /^No gain in full view that hiding could leave was found for the real query, .* in front of the document\. /,
    );
  });

  it('are shown on the sample in their middle, with what is hidden, unless texts are not', () => {
    const texts = {
      document: 'A lamp.\nIt costs 24 euros.',
      query: 'What does it cost?',
      answer: '24',
      target: ['2', '4'],
    };
    const run = madeRun(truncation, { samples: 9, texts, tokens: 2 });
    const shown = workedSample(run)!;
    const gainOf = (id: string) => {
      const nll = (name: string) => run.trials.find((t) => t.sample === id && t.condition === name)!.nll;
      return nll('bare_d') - nll('surr_doc_d');
    };
    const ordered = run.samples.map(({ id }) => id).sort((a, b) => gainOf(a) - gainOf(b));
    expect(shown.title).toContain(`One sample, ${ordered[4]}: of all samples`);
    expect(shown.items).toContain('Scored, the answer: 24');
    expect(shown.items).toContain('The decoder sees: document. Hidden: BOS, the prefix’s 6 rows, the line break’s.');
    expect(shown.items.at(-2)).toContain(`gain ${signed(gainOf(ordered[4]!), 3)}.`);
    expect(shown.items.at(-1)).toMatch(/^By token, before → after: “2” \d\.\d\d → \d\.\d\d, “4” /);
    expect(workedSample(madeRun(truncation, { samples: 9 }))).toBeUndefined();
    const said = (noText: boolean) => JSON.stringify(sectionsOf(run, noText));
    expect(said(false)).toContain('It costs 24 euros.');
    expect(said(true)).not.toContain('It costs 24 euros.');
  });

  it('say “works” of surrogates alone, and show what is the same by construction as a self-test', () => {
    const { summary: crossed } = madeRun(positionsOrContent, FEW);
    const share = { value: 0.9, low: 0.85, high: 1 };
    const works = crossed.comparisons.map((c) => ({ ...c, share, authors_share: 0.9 }));
    const said = headline({ ...crossed, smoke_run: false, comparisons: works });
    expect(said).toContain('neutralized_d against bare_d');
    expect(said).toMatch(/90 \[85, 100\] percent of the oracle’s gain[^;]*\.$/);
    expect(crossed.identities.map(({ name }) => name)).toEqual([
      'shifted_published: moved positions change nothing',
      'shifted_d: moved positions change nothing',
    ]);
    const shown = gainGroups(crossed).flatMap(({ comparisons }) => comparisons.map(({ treatment }) => treatment));
    expect(shown).toContain('neutralized_d');
    expect(shown).not.toContain('shifted_d');
  });

  it('are warned of where a few samples carry the mean', () => {
    const [first] = summary.comparisons;
    const told = (value: number) => ({ value, low: value / 2, high: 2 * value });
    const withGain = (gain: Partial<GainRecord>, scored = 500): Summary => ({
      ...summary,
      smoke_run: false,
      samples: { ...summary.samples, scored },
      contrasts: [],
      comparisons: [{ ...first!, gain: { ...first!.gain, mean: told(1), trimmed_mean: told(0.8), ...gain } }],
    });
    const of = (made: Summary) => warnings(made).filter((line) => !line.startsWith('Results of'));
    expect(of(withGain({ top_share: 0.3 }))).toEqual([]);
    expect(of(withGain({ top_share: 0.45 }))).toEqual([expect.stringContaining('may cover as little as .81')]);
    // Of 100 samples 25 are a quarter.
    expect(of(withGain({ top_share: 0.45 }, 100))).toEqual([]);
    const [apart, turned] = [0.4, -0.1].map((x) => of(withGain({ trimmed_mean: told(x), top_share: 0.1 })));
    expect(apart).toEqual([expect.stringContaining('differ in sign or by more than half')]);
    expect(turned).toEqual(apart);
    const around = { value: 0.1, low: -1, high: 1 };
    expect(of(withGain({ mean: around, trimmed_mean: { ...around, value: -0.1 }, top_share: 7 }))).toEqual([]);
  });

  it('say which samples depend on each other, and what is done about it', () => {
    const { summary: crossed } = madeRun(positionsOrContent, FEW);
    expect(sampleNotes(crossed).join('\n')).toMatch(
      /Every sample has a query.* 6 clusters.*Samples lend each other words in pairs/s,
    );
    const dependence = {
      by: 'question kind',
      partners: 'ring',
      crossed: 250,
      largest: 45,
      icc: 0.073,
      partner_icc: 0.005,
    } as const;
    const said = sampleNotes({ ...crossed, samples: { ...crossed.samples, dependence } }).join('\n');
    for (const part of ['same kind of fact', '+0.073', 'in one ring', '+0.005', 'two-way, with 250']) {
      expect(said).toContain(part);
    }
  });

  it('show hardness on split tokens only where the halves agree, and beside it the other axes', () => {
    const { reliability } = summary.comparisons[0]!.hardness.split;
    const rated = (value: number): Summary => ({
      ...summary,
      comparisons: summary.comparisons.map((c) => ({
        ...c,
        hardness: { ...c.hardness, split: { ...c.hardness.split, reliability: value } },
      })),
    });
    expect(reliability).toBeLessThan(0.5);
    expect(hardnessTable(rated(0.49), 'split')).toBeUndefined();
    expect(hardnessTable(rated(0.5), 'split')!.rows).toHaveLength(9);
    expect(hardnessTable(summary, 'oldham')!.rows).toHaveLength(9);
    expect(reliabilityNote(rated(0.2))).toContain('bare +0.20, bare_d +0.20. Below 0.5 the axis');
    const [row] = relativeTable(summary).rows;
    const { gain, hardness } = summary.comparisons[0]!.hardness.coupled.quintiles[4]!;
    expect(row!.at(-1)).toBe(((100 * gain!) / hardness!).toFixed(1));
  });

  it('say power, passes and how zero differences are handled', () => {
    const text = methods(summary).join('\n');
    expect(text).toContain('zero differences dropped');
    expect(text).toContain('Exchangeable arms');
    expect(text).toContain('no capped means');
    const known = { ...summary, vocabulary: 4096 };
    expect(methods(known).join()).not.toContain('no capped means');
    const { dependence, ...older } = summary.samples;
    expect(methods({ ...known, samples: older }).join()).toContain('those of an older version');
    expect(text).toContain('|d| of 0.36 or more with 80% power');
    expect(text).toContain('100 of the encoder and 300 of the decoder');
    expect(text).toContain('250 of the encoder, 2.5 times as many');
  });
});

describe('content', () => {
  it('follows what the experiment asks', () => {
    const tables = (run: Omit<FinishedRun, 'record'>) => namesOf(sectionsOf(run), 'table');
    const figures = (run: Omit<FinishedRun, 'record'>) => namesOf(sectionsOf(run), 'figure');
    const two = madeRun(gainDecomposition, FEW);
    expect(figures(two)).toEqual(
      expect.arrayContaining([
        'effects-exact',
        'effects-prefixes',
        'curve-titration-exact',
        'decomposition-decomposition-exact',
        'hardness',
      ]),
    );
    expect(tables(two)).toEqual(expect.arrayContaining(['gains-prefixes', 'contrasts-decomposition-exact']));
    const crossed = madeRun(positionsOrContent, FEW);
    expect(figures(crossed)).toContain('two-by-two');
    const sweep = madeRun(surrogateSweep, FEW);
    expect(tables(sweep)).toContain('orders');
    const titles = sectionsOf(two).map(({ title }) => title);
    expect(titles.slice(0, 3)).toEqual(['In words', 'Curves', 'Gains']);
    const selecting = madeRun(prefixContent, FEW);
    expect(tables(selecting)).toContain('selections');
    for (const run of [two, selecting]) {
      const all = [...tables(run), ...figures(run).map((name) => `figure ${name}`)];
      expect(new Set(all).size).toBe(all.length);
    }
    for (const run of [builtIn, two, crossed, sweep, selecting]) expectWhole(run);
  });

  it('of a ranking keeps NLL and measures apart, and corrects over families', () => {
    // Pools lend each other words in pairs: of sixteen, eight.
    const run = madeRun(productRanking, { samples: 96, candidates: 6 });
    // On a terminal, too, differences have an interval and p.
    const [means, differences] = shortTables(run.summary);
    expect(means!.rows).toHaveLength(run.summary.ranking!.conditions.length);
    expect(differences!.columns.map(({ title }) => title)).toContain('p, Holm');
    for (const [c, row] of differences!.rows.entries()) {
      const { mean, p } = run.summary.ranking!.comparisons[c]!.differences[0]!;
      expect(row.slice(2, 4)).toEqual([withInterval(mean, (x) => signed(x, 3)), pValue(p.mean!)]);
    }
    const names = namesOf(sectionsOf(run), 'table');
    expect(names).toEqual(expect.arrayContaining(['ranking', 'ranking-differences', 'ranking-tests', 'differential']));
    expect(names.some((name) => name.startsWith('gains'))).toBe(false);
    expectWhole(run);
    const { columns, rows } = rankingTestTable(run.summary, run.summary.ranking!);
    const at = (title: string) => columns.findIndex((column) => column.title === title);
    const ps = rows.filter((row) => row[0] === 'AUC' && row[1]!.endsWith('_d'));
    const number = (cell: string) => Number(cell.replace('−', '-'));
    for (const row of ps) expect(number(row[at('p, Holm')]!)).toBeGreaterThanOrEqual(number(row[at('p')]!));
    expect(new Set(rows.filter(([name]) => name!.startsWith('nDCG')).map((row) => row.at(-1)))).not.toContain('–');
    expect(new Set(ps.map((row) => row[at('family')]))).toEqual(new Set(['5']));
    expect(at('worth so many independent pools')).toBeGreaterThan(0);
    const said = JSON.stringify(sectionsOf(run));
    expect(said).toMatch(
      /doc_kw_d against bare_d, AUC .*16 pools in 8 clusters, worth \d+ independent ones\); nDCG@10 /,
    );
    expect(said).toContain('Screening of the first 16 pools');
    expect(said).toContain('the run has too few pools to be screened');
    // As an older version left it: the report corrects p itself.
    const { corrected: _, ...older } = run.summary.ranking!.comparisons[0]!;
    const comparisons = [older, ...run.summary.ranking!.comparisons.slice(1)];
    expect(rankingTestTable(run.summary, { ...run.summary.ranking!, comparisons }).rows).toEqual(rows);
  });
});

describe('reports of a run', () => {
  it('are rebuilt from the record alone, load nothing, and escape what they show', async () => {
    const directory = await temporaryFolder();
    const summary = await writeRun(directory, builtIn);
    const files = await writeReports(directory, summary);
    expect(files.map((file) => path.basename(file))).toEqual(['report.md', 'report.html']);
    const [markdown, html] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(html!.match(/<figure>/g)).toHaveLength(4);
    expect(html).not.toMatch(/src=|href="(?!#)|@import|url\(/);
    expect(html).toContain('A &lt;b&gt;title&lt;/b&gt; &amp; more');
    expect(html).not.toMatch(/>[^<]*NaN|<td[^>]*>[^<]*undefined/);
    expect(markdown).not.toContain('![');
    // Sections of figures alone are not there without them.
    expect(markdown).not.toMatch(/^## [^\n]*\n+## /m);
    for (const text of [markdown!, html!]) {
      for (const { treatment } of truncation.comparisons) expect(text).toContain(treatment);
      expect(text).toContain('Results of the built-in model');
      expect(text).toContain('f'.repeat(64));
    }
  });

  it('exist in all forms', async () => {
    const directory = await temporaryFolder();
    const summary = await writeRun(directory, builtIn);
    const formats: ReportFormat[] = ['html', 'md', 'ipynb', 'tex', 'svg', 'png'];
    const files = (await writeReports(directory, summary, { formats })).map((file) => path.relative(directory, file));
    expect(files).toEqual(
      expect.arrayContaining([
        'report.html',
        'report.md',
        'notebook.ipynb',
        'tables/gains-exact.tex',
        'figures/effects.svg',
        'figures/effects.png',
      ]),
    );
    const read = (name: string) => readFile(path.join(directory, name));
    expect(String(await read('report.md'))).toContain('](figures/effects.svg)');
    const svg = String(await read('figures/effects.svg'));
    expect(svg).toContain('fill="#fff"');
    expect(svg).not.toContain('system-ui');
    // A figure that leaves its report says what it is of.
    expect(svg).toMatch(/exp01: smoke run, no conclusions; the built-in model .*<\/text><\/svg>/);
    expect(String(await read('tables/gains-exact.tex'))).toContain('Smoke run: no conclusions.');
    const png = await read('figures/effects.png');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect(png.readUInt32BE(16)).toBe(2580);
  });
});
