/** What is said of verdicts, and of identities that no sample could test. */
import { expect, it } from 'vitest';
import { stepTable, verdictTable } from '../../src/report/tables/verdict.js';
import { describeVerdicts } from '../../src/report/words/verdict.js';
import type { VerdictRecord } from '../../src/runs/schema/verdict.js';

const interval = { value: 0.3, low: 0.1, high: 0.5 };
const record: VerdictRecord = {
  title: 'oracle',
  together: 'query not in the decoder',
  verdict: 'primed',
  open: [],
  absent: [],
  total: 0.5,
  margin: 0.1,
  samples: 800,
  critical: 3.4,
  error_needed: 0.021,
  steps: [{ name: 'P0', state: 'positive', mean: interval, trimmed_mean: interval, standard_error: 0.06 }],
};

it('a verdict is a sentence', () => {
  const said = (own: Partial<VerdictRecord>) => describeVerdicts([{ ...record, ...own }]).join();
  expect(said({})).toBe(
    'oracle: primed (the document is primed, by what the prefix means; effects below 0.100 nats are none).',
  );
  expect(said({ verdict: 'undecided', open: ['H'] })).toContain('undecided (H is open;');
  expect(said({ verdict: 'undecided', open: ['H', 'I'] })).toContain('(H and I are open;');
});

it('says once what remains on a model without BOS, without a line break, and with neither', () => {
  const remains = (...absent: VerdictRecord['absent']) =>
    describeVerdicts([
      { ...record, absent },
      { ...record, absent: [...absent, 'S'] },
    ]).slice(2);
  expect(remains()).toEqual([]);
  expect(remains('H', 'P*', 'I', 'L')).toEqual([
    'What remains on this model: primed, line break, structural, no effect, harmed and mixed. Its inputs lack what hidden BOS, unmasked and leak need.',
  ]);
  expect(remains('W', 'V')).toEqual([
    'What remains on this model: primed, hidden BOS, unmasked, leak, structural, no effect, harmed and mixed. Its inputs lack what line break needs.',
  ]);
  expect(remains('H', 'W', 'V', 'P*', 'I', 'L')).toEqual([
    'What remains on this model: primed, structural, no effect and harmed. Its inputs lack what hidden BOS, unmasked, leak and line break need.',
  ]);
});

it('tables have the standard error that nil needs beside each that there is', () => {
  const { columns, rows } = verdictTable([record]);
  expect(rows).toEqual([
    ['oracle', 'query not in the decoder', 'primed', '–', '800', '+0.500', '0.100', '3.40', '0.060 (P0)', '0.021'],
  ]);
  expect(columns).toHaveLength(rows[0]!.length);
  expect(columns.map(({ title }) => title).slice(-2)).toEqual([
    'largest standard error',
    'standard error needed for nil',
  ]);
  expect(columns.map(({ title }) => title)).toContain('total, nats');
  const earlier = { run: '../earlier', started_at: '2026-01-02T03:04:05.678Z', samples: 12, totals: [] };
  expect(verdictTable([record], undefined, earlier).columns.map(({ title }) => title)).toContain(
    'total of the earlier run, nats',
  );
  const byKind = verdictTable([record], 'question kind').columns.map(({ title }) => title);
  expect(byKind.at(-2)).toBe('largest standard error, by question kind');
  expect(stepTable([record], 'question kind').columns.map(({ title }) => title)).toContain(
    'standard error, by question kind',
  );
  expect(stepTable([record]).rows).toEqual([
    [
      'oracle',
      'query not in the decoder',
      'P0',
      'positive',
      '+0.300 [+0.100, +0.500]',
      '+0.300 [+0.100, +0.500]',
      '0.060',
      '0.021',
    ],
  ]);
});
