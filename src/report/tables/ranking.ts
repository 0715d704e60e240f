/** Tables of how well conditions rank the candidates of pools. */
import type { GainRecord } from '../../runs/schema/gains.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { Summary } from '../../runs/schema/summary.js';
import { correctFamilies } from '../../stats/gains.js';
import { fixed, percent, pOf, pValue, signed, withInterval } from '../words/format.js';
import { boundOf, isDeployable, marked } from '../words/labels.js';
import { effectColumns } from './effect.js';
import { type Column, number, type Table, text } from './table.js';

/** Rankings whose nDCG differs by less than this are called equal. */
const EQUAL_WITHIN = 0.01;

export const RANKING_NOTE = `Candidates are ranked by the likelihood of the scored text. Means over the judged pools with a relevant candidate; intervals by bootstrap over pools. Differences are pool by pool, treatment less baseline: positive is better. Holm corrects the p of the mean of one measure over the comparisons that see the same. Equal: the whole interval of a difference in nDCG lies within ±${EQUAL_WITHIN}, the margin fixed beforehand.`;

export const DIFFERENTIAL_NOTE =
  'Differential signal: mean gain in NLL of a pool’s relevant candidates less that of its others, in nats per token. Only what is above 0 can help a ranking: a gain that all candidates share does not.';

/** One row a condition, one column a measure. */
export function measureTable({ configuration: { experiment }, conditions }: Summary, ranking: RankingSummary): Table {
  const leak = new Map(conditions.map((condition) => [condition.name, condition.leak]));
  return {
    columns: [
      text('condition'),
      text('bound'),
      text('deployable'),
      number('target leak %'),
      ...ranking.measures.map(({ name, pools }) =>
        number(pools < ranking.pools ? `${name} [95%], ${pools} pools` : `${name} [95%]`),
      ),
    ],
    rows: ranking.conditions.map(({ name, means }) => [
      name,
      boundOf(experiment, name),
      isDeployable(experiment, name) ? 'yes' : 'no',
      percent(leak.get(name) ?? null),
      ...means.map((mean) => withInterval(mean, (x) => fixed(x, 3))),
    ]),
  };
}

/**
 * The same over all judged pools, those without a relevant candidate as 0, as ir_measures and trec_eval -c have it; undefined where all have one, or where
 * the summary of an older version does not say.
 */
export function judgedTable(ranking: RankingSummary): Table | undefined {
  const measures = ranking.measures.map(({ name }) => number(name));
  if (ranking.measures.every(({ pools }) => pools === ranking.pools)) return undefined;
  const rows = ranking.conditions.flatMap(({ name, judged_means: means }) =>
    means ? [[name, ...means.map((mean) => fixed(mean, 3))]] : [],
  );
  return rows.length > 0 ? { columns: [text('condition'), ...measures], rows } : undefined;
}

/** Differences to the baseline, one row a comparison. */
export function differenceTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  return {
    columns: [text('condition'), text('against'), ...ranking.measures.map(({ name }) => number(`${name} [95%]`))],
    rows: ranking.comparisons.map((comparison) => [
      marked(experiment, comparison),
      comparison.baseline,
      ...comparison.differences.map(({ mean }) => withInterval(mean, (x) => signed(x, 3))),
    ]),
  };
}

/** The tests of the differences, one row a comparison and measure. */
export function rankingTestTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  const tests = testColumns(
    ranking.comparisons.flatMap(({ differences }) => differences),
    'difference',
  );
  const rows = ranking.measures.flatMap(({ name }, m) => {
    const corrected = correctedByFamily(
      ranking.comparisons,
      ranking.comparisons.map(({ differences }) => differences[m]!),
    );
    return ranking.comparisons.map((comparison, c) => {
      const difference = comparison.differences[m]!;
      return [
        name,
        marked(experiment, comparison),
        comparison.baseline,
        ...tests.cells(difference, corrected[c]!),
        name.startsWith('nDCG') ? equality(difference) : '–',
      ];
    });
  });
  return {
    columns: [text('measure'), text('condition'), text('against'), ...tests.columns, text('equal')],
    rows,
  };
}

/** Does priming help the relevant candidates more than the others? */
export function differentialTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  const measured = ranking.comparisons.filter(({ differential }) => differential !== null);
  const corrected = correctedByFamily(
    measured,
    measured.map(({ differential }) => differential!),
  );
  const tests = testColumns(
    measured.map(({ differential }) => differential!),
    'differential signal, nats',
  );
  return {
    columns: [text('condition'), text('against'), ...tests.columns],
    rows: measured.map((comparison, c) => [
      marked(experiment, comparison),
      comparison.baseline,
      ...tests.cells(comparison.differential!, corrected[c]!),
    ]),
  };
}

interface TestColumns {
  readonly columns: readonly Column[];
  cells(gain: GainRecord, corrected: number | null): string[];
}

function testColumns(gains: readonly GainRecord[], what: string): TestColumns {
  const effect = effectColumns(gains, what);
  return {
    columns: [...effect.columns, number('p, Holm'), number('p, Wilcoxon'), number('p, exchangeable arms')],
    cells: (gain, corrected) => [
      ...effect.cells(gain),
      pValue(corrected),
      pValue(gain.p.wilcoxon),
      pValue(gain.p.sign_flip),
    ],
  };
}

/** Holm's correction of one p a comparison, over the comparisons of a family. */
function correctedByFamily(
  comparisons: RankingSummary['comparisons'],
  gains: readonly GainRecord[],
): (number | null)[] {
  const families = comparisons.map(({ family }) => family ?? '');
  return correctFamilies(families, gains.map(pOf)).map(({ holm }) => holm);
}

function equality({ mean: { low, high } }: GainRecord): string {
  if (low === null || high === null) return '–';
  return low >= -EQUAL_WITHIN && high <= EQUAL_WITHIN ? 'yes' : 'not shown';
}
