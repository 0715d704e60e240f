/** The table of gains and the temperatures of their arms. */
import type { Experiment } from '../../runs/schema/experiment.js';
import type { TemperatureEffectRecord, TemperatureSummary } from '../../runs/schema/temperature.js';
import type { Estimate } from '../../stats/gains.js';
import { fixed, nats, pValue, withInterval } from '../words/format.js';
import { partOf } from '../words/labels.js';
import { number, type Table, text } from './table.js';

/** The p-value at which the test of equivalence decides. */
const LEVEL = 0.05;

export function temperatureNote({ margin }: TemperatureSummary): string {
  return `Each arm at the temperature that suits it best, fitted on four fifths of its samples and used on the fifth left out, in turn, whole clusters together. Calibration is the part of a gain at temperature 1 that goes with that. A gain is called entropy only where what remains of it is shown to lie within ±${margin} nats of 0 (p ≤ ${LEVEL}). Capped: no token counts more than the logarithm of the vocabulary. Apart: first tokens and later ones have temperatures of their own, in this order.`;
}

export function temperatureTable(
  { margin, comparisons }: TemperatureSummary,
  experiment: Pick<Experiment, 'comparisons'>,
): Table {
  const rows = comparisons.flatMap(({ treatment, baseline, all, capped, apart }) =>
    Object.entries({ all, capped, ...(apart && { apart }) }).map(([tokens, effect]) => [
      treatment,
      baseline,
      partOf(experiment, { treatment, baseline }),
      tokens,
      ...cells(effect),
    ]),
  );
  return {
    columns: [
      text('treatment'),
      text('baseline'),
      text('part'),
      text('tokens'),
      number('gain at T = 1'),
      number('calibration'),
      number('remaining [95%]'),
      number(`p, within ±${margin}`),
      text('what remains'),
      number('T of the treatment [folds]'),
      number('T of the baseline [folds]'),
    ],
    rows,
  };
}

function cells({ at_one, calibration, remaining, p_equivalence, treatment, baseline }: TemperatureEffectRecord) {
  const temperatures = (all: TemperatureEffectRecord['baseline']) =>
    all.map((own) => withInterval(own, (value) => fixed(value, 2))).join(', ');
  return [
    nats(at_one.value),
    nats(calibration.value),
    withInterval(remaining, nats),
    pValue(p_equivalence),
    whatRemains(at_one, remaining, p_equivalence),
    temperatures(treatment),
    temperatures(baseline),
  ];
}

function whatRemains(atOne: Estimate, remaining: Estimate, p: number | null): string {
  // Where there is no gain at temperature 1 either there is nothing to be called entropy.
  if (p !== null && p <= LEVEL) return signOf(atOne) === 0 ? 'nothing' : 'nothing: entropy';
  const sign = signOf(remaining);
  return sign === undefined ? 'not known' : sign > 0 ? 'a gain' : sign < 0 ? 'a loss' : 'open';
}

/** The sign of an interval: 0 where it holds 0; undefined without an interval. */
function signOf({ low, high }: Estimate): number | undefined {
  if (low === null || high === null) return undefined;
  return low > 0 ? 1 : high < 0 ? -1 : 0;
}
