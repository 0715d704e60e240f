import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { summarize } from '../../src/experiments/analysis.js';
import { exp01 } from '../../src/experiments/exp01.js';
import { JournalWriter, type Trial } from '../../src/experiments/journal.js';
import { type Configuration, writeRecord } from '../../src/experiments/record.js';
import { Random } from '../../src/random.js';
import { gainTable, shortGainTable, warnings } from '../../src/report/comparisons.js';
import { fixed, percent, pValue, signed, withInterval } from '../../src/report/format.js';
import { writeReports } from '../../src/report/report.js';
import { renderHtml, renderMarkdown, renderText } from '../../src/report/table.js';
import { temporaryFolder } from '../support/fixtures.js';

const configuration = (builtIn: boolean): Configuration => ({
  experiment: { ...exp01, title: 'A <b>title</b> & more' },
  samples: 40,
  seed: 1,
  dataset: { name: 'made up', revision: '1', licence: 'none', selection: 'all', digest: 'd'.repeat(64) },
  model: { name: 'model', built_in: builtIn, fingerprint: 'f'.repeat(64), precision: 'float32', window: null },
  device: 'cpu',
  max_tokens: 512,
  batch_tokens: 512,
  writer: null,
});

/** Primed conditions are better by 0.1 to 1.1 nats a token, bare ones are noise. */
function trials(samples: number): Trial[] {
  const random = new Random('report');
  return Array.from({ length: samples }, (_, i) => {
    const tokens = 1 + random.below(6);
    return exp01.conditions.map(({ name }, c): Trial => {
      const token_nlls = Array.from({ length: tokens }, () => 3 + random.float() - (c > 1 ? c / 10 : 0));
      const nll_sum = token_nlls.reduce((a, b) => a + b);
      const counts = { num_tokens: tokens, prefix_tokens: c > 1 ? 6 : 0, document_tokens: 80 };
      return { sample: `s${i}`, condition: name, nll: nll_sum / tokens, nll_sum, token_nlls, ...counts, cut: false };
    });
  }).flat();
}

const summaryOf = (built: boolean, entries: readonly Trial[]) => {
  const records = [...new Set(entries.map(({ sample }) => sample))].map((id) => ({ id }));
  return summarize(configuration(built), entries, records, { encoder: 1, decoder: 1, naive_encoder: 1 });
};

describe('tables', () => {
  const table = {
    columns: [
      { title: 'name', numeric: false },
      { title: 'µ', numeric: true },
    ],
    rows: [
      ['a|b', '−1.5'],
      ['<i>', '10'],
    ],
  };

  it('are aligned on a terminal', () => {
    expect(renderText(table)).toBe(['name     µ', '──────────', 'a|b   −1.5', '<i>     10'].join('\n'));
  });

  it('are Markdown', () => {
    expect(renderMarkdown(table)).toBe(
      ['| name | µ |', '| --- | ---: |', '| a\\|b | −1.5 |', '| <i> | 10 |'].join('\n'),
    );
  });

  it('are escaped HTML', () => {
    expect(renderHtml(table)).toContain('<td>&lt;i&gt;</td><td class="number">10</td>');
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

describe('report of a run', () => {
  it('warns above the numbers of a smoke run and of the built-in model', () => {
    const few = summaryOf(true, trials(40));
    expect(warnings(few)).toEqual([
      'Smoke run: no conclusions. 40 samples; the protocol asks for 200.',
      expect.stringContaining('Results of the built-in model'),
    ]);
    expect(warnings({ ...few, smoke_run: false, configuration: configuration(false) })).toEqual([]);
  });

  it('shows every comparison with effect, interval and share of the oracle', () => {
    const summary = summaryOf(true, trials(60));
    const rows = gainTable(summary).rows;
    expect(rows.map(([condition, baseline, deployable]) => [condition, baseline, deployable])).toEqual(
      exp01.comparisons.map(({ treatment, baseline }) => [
        treatment,
        baseline,
        treatment.startsWith('surr_doc') ? 'yes' : 'no',
      ]),
    );
    for (const row of rows) for (const cell of row) expect(cell).not.toMatch(/NaN|undefined|null/);
    const oracle = summary.comparisons[0]!;
    expect(oracle.gain.mean.low!).toBeLessThan(oracle.gain.mean.value!);
    expect(oracle.gain.d.low!).toBeGreaterThan(0);
    expect(shortGainTable(summary).rows).toHaveLength(9);
    // The later conditions are made better: more than all of the oracle's gain.
    expect(summary.comparisons.at(-1)!.share.value!).toBeGreaterThan(1);
  });

  it('is rebuilt from the record alone, loads nothing, and escapes what it shows', async () => {
    const directory = await temporaryFolder();
    const entries = trials(60);
    await writeRecord(directory, configuration(true));
    const journal = await JournalWriter.open(path.join(directory, 'trials.jsonl'));
    await journal.append(entries);
    await journal.close();
    const summary = summaryOf(true, entries);
    await writeFile(path.join(directory, 'summary.json'), JSON.stringify(summary));
    const files = await writeReports(directory, summary);
    expect(files.map((file) => path.basename(file))).toEqual(['report.md', 'report.html']);
    const [markdown, html] = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    expect(html!.match(/<svg /g)).toHaveLength(3);
    expect(html).not.toMatch(/(src|href)=|@import|url\(/);
    expect(html).toContain('A &lt;b&gt;title&lt;/b&gt; &amp; more');
    expect(html).not.toMatch(/NaN|undefined/);
    for (const text of [markdown!, html!]) {
      for (const [condition] of gainTable(summary).rows) expect(text).toContain(condition!);
      expect(text).toContain('Results of the built-in model');
      expect(text).toContain('f'.repeat(64));
    }
  });
});
