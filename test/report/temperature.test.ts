/** What the table of gains and temperatures says of a gain. */
import { expect, it } from 'vitest';
import { temperatureTable } from '../../src/report/tables/temperature.js';

const between = (low: number | null, high: number | null) => ({ value: 0.1, low, high });

it.each([
  ['nothing: entropy', between(0.1, 0.3), between(-0.02, 0.02), 0.01],
  ['nothing: entropy', between(-0.3, -0.1), between(-0.02, 0.02), 0.05],
  ['nothing', between(-0.01, 0.02), between(-0.02, 0.02), 0.01],
  ['open', between(0.1, 0.3), between(-0.2, 0.2), 0.4],
  ['a gain', between(0.1, 0.3), between(0.1, 0.2), 0.9],
  ['a loss', between(0.1, 0.3), between(-0.2, -0.1), 0.9],
  ['not known', between(null, null), between(null, null), null],
])('says %s', (wanted, at_one, remaining, p_equivalence) => {
  const temperatures = [{ value: 1.2, low: 1.1, high: 1.3 }];
  const all = {
    at_one,
    remaining,
    calibration: between(0, 0.1),
    p_equivalence,
    baseline: temperatures,
    treatment: temperatures,
  };
  const comparison = { treatment: 'oracle', baseline: 'bare', all, capped: all, apart: null };
  const { columns, rows } = temperatureTable({ margin: 0.05, comparisons: [comparison] }, { comparisons: [] });
  expect(rows.map((row) => row[3])).toEqual(['all', 'capped']);
  expect(rows[0]![columns.findIndex(({ title }) => title === 'what remains')]).toBe(wanted);
  expect(rows[0]!.slice(-2)).toEqual(['1.20 [1.10, 1.30]', '1.20 [1.10, 1.30]']);
});
