/** Tables of how well conditions rank the candidates of pools. */
import type { GainRecord } from '../../runs/schema/gains.js';
import type { RankingSummary } from '../../runs/schema/ranking.js';
import type { Summary } from '../../runs/schema/summary.js';
import { type Corrected, correctFamilies } from '../../stats/gains.js';
import { fixed, percent, pOf, pValue, signed, withInterval } from '../words/format.js';
import { boundOf, isDeployable, isPrimary, marked } from '../words/labels.js';
import { effectColumns } from './effect.js';
import { type Column, number, type Table, text } from './table.js';

/** The difference in nDCG below which rankings are called equal. */
const EQUAL_WITHIN = 0.01;

/** A note on how the numbers were made. */
export function rankingNote({ measures }: RankingSummary): string {
  const intervals = measures.every(({ clusters }) => clusters !== undefined)
    ? 'Intervals and p are those of the mean, by clusters of pools.'
    : 'Intervals of the means are a bootstrap’s over single pools.';
  return `Candidates are ranked by the likelihood of the scored text. Means over the judged pools with a relevant candidate. Differences are pool by pool, treatment less baseline: positive is better. ${intervals} Holm, Bonferroni and BH correct the p of one measure over its family, the comparisons that see the same. Equal: the whole interval of a difference in nDCG lies within ±${EQUAL_WITHIN}, the margin fixed beforehand.`;
}

export const DIFFERENTIAL_NOTE =
  'Differential signal: mean gain in NLL of a pool’s relevant candidates less that of its others, in nats per token. Only what is above 0 can help a ranking: a gain that all candidates share does not.';

/** The table of measures, one row for each condition, one column for each measure. */
export function measureTable({ configuration: { experiment }, conditions }: Summary, ranking: RankingSummary): Table {
  const leak = new Map(conditions.map((condition) => [condition.name, condition.leak]));
  return {
    columns: [
      text('condition'),
      ...ranking.measures.map(({ name, pools }) =>
        number(pools < ranking.pools ? `${name} [95%], ${pools} pools` : `${name} [95%]`),
      ),
      text('bound'),
      text('deployable'),
      number('target leak %'),
    ],
    rows: ranking.conditions.map(({ name, means }) => [
      name,
      ...means.map((mean) => withInterval(mean, (x) => fixed(x, 3))),
      boundOf(experiment, name),
      isDeployable(experiment, name) ? 'yes' : 'no',
      percent(leak.get(name) ?? null),
    ]),
  };
}

/**
 * The same table over all judged pools, with 0 for those without a relevant candidate, as in ir_measures and trec_eval -c. It is undefined where
 * all have one, or where the summary of an older version does not say.
 */
export function judgedTable(ranking: RankingSummary): Table | undefined {
  const measures = ranking.measures.map(({ name }) => number(name));
  if (ranking.measures.every(({ pools }) => pools === ranking.pools)) return undefined;
  const rows = ranking.conditions.flatMap(({ name, judged_means: means }) =>
    means ? [[name, ...means.map((mean) => fixed(mean, 3))]] : [],
  );
  return rows.length > 0 ? { columns: [text('condition'), ...measures], rows } : undefined;
}

/** The differences to the baseline, each with its corrected p, one row for each comparison. */
export function differenceTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  const corrected = ranking.measures.map((_, m) => correctedBy(ranking, m));
  return {
    columns: [
      text('condition'),
      text('against'),
      ...ranking.measures.map(({ name }) => number(`${name} [95%], p by Holm`)),
    ],
    rows: ranking.comparisons.map((comparison, c) => [
      marked(experiment, comparison),
      comparison.baseline,
      ...comparison.differences.map(
        ({ mean }, m) => `${withInterval(mean, (x) => signed(x, 3))}, ${pValue(corrected[m]![c]!.holm)}`,
      ),
    ]),
  };
}

/** The comparison that was named beforehand, by the first measure and by nDCG@10, in a sentence; undefined where nothing is compared. */
export function rankingHeadline(
  { configuration: { experiment } }: Summary,
  ranking: RankingSummary,
): string | undefined {
  const c = ranking.comparisons.findIndex((comparison) => isPrimary(experiment, comparison));
  const primary = ranking.comparisons[c];
  if (!primary) return undefined;
  const said = ranking.measures.flatMap(({ name, pools, clusters }, m) => {
    if (m > 0 && name !== 'nDCG@10') return [];
    const gain = primary.differences[m]!;
    const { holm, familySize } = correctedBy(ranking, m)[c]!;
    const worth = gain.effective_samples;
    const of =
      clusters === undefined || worth === undefined
        ? ''
        : `; ${pools} pools in ${clusters} clusters, worth ${fixed(worth, 0)} independent ones`;
    return [
      `${name} ${withInterval(gain.mean, (x) => signed(x, 3))}, p ${pValue(pOf(gain))} (Holm over ${familySize}: ${pValue(holm)}${of})`,
    ];
  });
  const named = experiment.primary ? ', named beforehand' : '';
  return `Primary comparison${named}: ${primary.treatment} against ${primary.baseline}, ${said.join('; ')}.`;
}

/** The tests of the differences, one row for each comparison and measure. */
export function rankingTestTable({ configuration: { experiment } }: Summary, ranking: RankingSummary): Table {
  const tests = testColumns(
    ranking.comparisons.flatMap(({ differences }) => differences),
    'difference',
  );
  const rows = ranking.measures.flatMap(({ name }, m) => {
    const corrected = correctedBy(ranking, m);
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

/** The table of whether priming helps the relevant candidates more than the others. */
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
  cells(gain: GainRecord, corrected: Corrected): string[];
}

function testColumns(gains: readonly GainRecord[], what: string): TestColumns {
  const effect = effectColumns(gains, what);
  return {
    columns: [
      ...effect.columns,
      number('p, Holm'),
      number('family'),
      number('Bonferroni'),
      number('BH'),
      number('worth so many independent pools'),
      number('p, Wilcoxon'),
      number('p, exchangeable arms'),
    ],
    cells: (gain, { holm, familySize, bonferroni, bh }) => [
      ...effect.cells(gain),
      pValue(holm),
      String(familySize),
      pValue(bonferroni),
      pValue(bh),
      fixed(gain.effective_samples ?? null, 0),
      pValue(gain.p.wilcoxon),
      pValue(gain.p.sign_flip),
    ],
  };
}

/** The corrected p-values of one measure, for each comparison. */
export function correctedBy({ comparisons }: RankingSummary, measure: number): Corrected[] {
  return correctedByFamily(
    comparisons,
    comparisons.map(({ differences }) => differences[measure]!),
  );
}

/**
 * Corrections of one p-value for each comparison, over the comparisons of a family. Summaries of older versions do not hold them, so all are
 * computed here.
 */
function correctedByFamily(comparisons: RankingSummary['comparisons'], gains: readonly GainRecord[]): Corrected[] {
  const families = comparisons.map(({ family }) => family ?? '');
  return correctFamilies(families, gains.map(pOf));
}

function equality({ mean: { low, high } }: GainRecord): string {
  if (low === null || high === null) return '–';
  return low >= -EQUAL_WITHIN && high <= EQUAL_WITHIN ? 'yes' : 'not shown';
}
