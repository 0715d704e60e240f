/** What is said of verdicts, and of identities that no sample could test. */
import { expect, it } from 'vitest';
import { stepTable, verdictTable } from '../../src/report/tables/verdict.js';
import { describeRemains, describeVerdict } from '../../src/report/words/verdict.js';
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
  expect(describeVerdict(record)).toBe(
    'oracle: primed (the document is primed, by what the prefix means; effects below 0.100 nats are none).',
  );
  expect(describeVerdict({ ...record, verdict: 'undecided', open: ['H'] })).toContain('undecided (H is open;');
  expect(describeVerdict({ ...record, verdict: 'undecided', open: ['H', 'I'] })).toContain('(H and I are open;');
});

it('says what remains on a model without BOS, without a line break, and with neither', () => {
  expect(describeRemains([])).toBeUndefined();
  expect(describeRemains(['S'])).toBeUndefined();
  expect(describeRemains(['H', 'P*', 'I', 'L'])).toContain('hidden BOS, unmasked and leak cannot be');
  expect(describeRemains(['W', 'V'])).toContain(': line break cannot be');
  expect(describeVerdict({ ...record, absent: ['H', 'W', 'V', 'P*', 'I', 'L'] })).toMatch(
    /nats are none\)\. What remains .* hidden BOS, unmasked, leak and line break cannot be/,
  );
});

it('tables have the standard error that nil needs beside each that there is', () => {
  const { columns, rows } = verdictTable([record]);
  expect(rows).toEqual([
    ['oracle', 'query not in the decoder', 'primed', '', '800', '+0.500', '0.100', '3.40', '0.021'],
  ]);
  expect(columns).toHaveLength(rows[0]!.length);
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
