/** Units taken together, in words and tables: for a terminal, and as Markdown. */
import type { PooledEffect, PooledRuns } from './pool.js';
import { escapeMarkdown, number, renderMarkdown, renderText, type Table, text } from './tables/table.js';
import { fixed, percent, pValue, signed, withInterval } from './words/format.js';
import { FRAMING } from './words/notes.js';

/** A heading, a paragraph (a warning stands out), or a table. */
type Part =
  | { readonly heading: string; readonly level: number }
  | { readonly paragraph: string; readonly warning?: true }
  | Table;

const paragraph = (words: string): Part => ({ paragraph: words });
const warning = (words: string): Part => ({ paragraph: words, warning: true });

/**
 * @param all one experiment or more, of the same units; of several the headlines stand first
 * @param leftOut why others are not among them, a sentence each
 */
export function pooledMarkdown(all: readonly PooledRuns[], leftOut: readonly string[] = []): string {
  return rendered(partsOf(all, leftOut), (part) => {
    if ('heading' in part) return `${'#'.repeat(part.level)} ${escapeMarkdown(part.heading)}`;
    if ('columns' in part) return renderMarkdown(part);
    return part.warning ? `> **${escapeMarkdown(part.paragraph)}**` : escapeMarkdown(part.paragraph);
  });
}

/** The pooled runs as text for a terminal. */
export function pooledText(all: readonly PooledRuns[], leftOut: readonly string[] = []): string {
  return rendered(partsOf(all, leftOut), (part) => {
    if ('heading' in part) return part.heading;
    return 'columns' in part ? renderText(part) : part.paragraph;
  });
}

function rendered(parts: readonly Part[], render: (part: Part) => string): string {
  return `${parts.map(render).join('\n\n')}\n`;
}

function partsOf(all: readonly PooledRuns[], leftOut: readonly string[]): Part[] {
  const [first] = all;
  if (first && all.length === 1 && leftOut.length === 0) {
    return [
      { heading: `${first.experiment} over ${unitsOf(first)}`, level: 1 },
      ...warningsOf(first).map(warning),
      unitTable(first),
      ...experimentParts(first, 2),
    ];
  }
  const shared = first ? warningsOf(first).filter((words) => all.every((one) => warningsOf(one).includes(words))) : [];
  return [
    { heading: `${all.length} experiments${first ? ` over ${unitsOf(first)}` : ''}`, level: 1 },
    ...shared.map(warning),
    ...leftOut.map(paragraph),
    ...(first
      ? [paragraph(`Headlines: the comparison that each experiment named beforehand. ${SIGNS}`), headlineTable(all)]
      : []),
    ...all.flatMap((pooled): Part[] => [
      { heading: pooled.experiment, level: 2 },
      ...warningsOf(pooled)
        .filter((words) => !shared.includes(words))
        .map(warning),
      unitTable(pooled),
      ...experimentParts(pooled, 3),
    ]),
  ];
}

const unitsOf = ({ units, seeds }: PooledRuns) => `${units.length} ${seeds ? 'training seeds' : 'models'}`;

function experimentParts(pooled: PooledRuns, level: number): Part[] {
  const { dataset, samples, common, clusters, comparisons } = pooled;
  const heading = (title: string): Part => ({ heading: title, level });
  return [
    paragraph(`${samples} samples of ${dataset}; ${common} that all units scored, in ${clusters} clusters.`),
    heading('Signs'),
    paragraph(SIGNS),
    signTable(pooled),
    paragraph(FRAMING),
    ...(comparisons.some((one) => one.pooled)
      ? [heading('Over units, mean gain in nats per token'), paragraph(MEAN), meanTable(comparisons)]
      : []),
    heading('Mean gain of each unit, nats per token [95%]'),
    paragraph(SAMPLES),
    effectTable(pooled, 'mean'),
  ];
}

const SIGNS =
  'Trimmed mean gain of each unit in nats per token, with 95% over clusters of samples. Above and below 0: units by its sign, and in brackets those whose interval does not hold 0.';

const MEAN =
  'Random effects, each unit counted once: the mean over units of this kind, on samples of this kind. Its error has the covariance of the units’ sampling errors, by cluster, because all were asked the same samples; 95% by Student’s t with Satterthwaite’s degrees of freedom. tau: standard deviation of true effects between units. Another unit: where its effect would lie, 95%. I²: share of the variance between units that sampling errors do not explain.';

const SAMPLES =
  'All units were asked the same samples, so their errors go together: what one sample set shows by chance, all units show. Each unit’s interval is over samples.';

function warningsOf({ units, seeds, smokeRun, common, withoutMean }: PooledRuns): string[] {
  const more = units.filter(({ scored }) => scored > common);
  return [
    ...(smokeRun ? ['Smoke runs are among these, with fewer samples than the protocol asks for: no conclusions.'] : []),
    ...(seeds
      ? [
          'By the word of whoever called, the units are training seeds of one recipe; this program sees only that their shapes agree.',
        ]
      : []),
    ...(units.some(({ builtIn }) => builtIn)
      ? [
          'Results of the built-in model: trained on generated advertisements, and trained to use a query in the encoder. They say how it behaves, nothing about T5Gemma 2.',
        ]
      : []),
    ...(more.length > 0
      ? [
          `Samples that not all units scored are left out: ${more.map(({ name, scored }) => `${scored - common} of ${name}`).join(', ')}.`,
        ]
      : []),
    ...(withoutMean === null ? [] : [withoutMean]),
  ];
}

function unitTable({ units }: PooledRuns): Table {
  return {
    columns: [text('unit'), text('folder'), text('model'), text('precision'), number('scored')],
    rows: units.map(({ name, directory, model, precision, scored }) => [
      name,
      directory,
      model,
      precision,
      String(scored),
    ]),
  };
}

type Comparisons = PooledRuns['comparisons'];

const namesOf = ({ treatment, baseline, primary }: Comparisons[number]) => [
  treatment + (primary ? ' (primary)' : ''),
  baseline,
];

const gain = (x: number | null) => signed(x, 3);

function meanTable(comparisons: Comparisons): Table {
  return {
    columns: [
      text('condition'),
      text('against'),
      number('mean over units [95%]'),
      number('p'),
      number('another unit [95%]'),
      number('tau'),
      number('I² %'),
    ],
    rows: comparisons.map((comparison) => {
      const { pooled } = comparison;
      if (!pooled) return [...namesOf(comparison), '–', '–', '–', '–', '–'];
      const { mean, interval, p, prediction, tau2, i2 } = pooled;
      return [
        ...namesOf(comparison),
        withInterval({ value: mean, ...interval }, gain),
        pValue(p),
        `${gain(prediction.low)} to ${gain(prediction.high)}`,
        fixed(Math.sqrt(tau2), 3),
        percent(i2),
      ];
    }),
  };
}

function signTable(pooled: PooledRuns): Table {
  const { columns, rows } = effectTable(pooled, 'trimmedMean');
  return {
    columns: [...columns, ...SIGN_COLUMNS],
    rows: rows.map((row, c) => [...row, ...signCells(pooled.comparisons[c]!)]),
  };
}

const SIGN_COLUMNS = [number('above 0'), number('below 0')];

function signCells({ signs }: Comparisons[number]): string[] {
  const { above, below, toldAbove, toldBelow } = signs.trimmedMean;
  return [`${above} (${toldAbove})`, `${below} (${toldBelow})`];
}

/** The primary comparison of each experiment, one row each. */
function headlineTable(all: readonly PooledRuns[]): Table {
  return {
    columns: [
      text('experiment'),
      text('condition'),
      text('against'),
      ...all[0]!.units.map(({ name, model }) => number(`${name}: ${model}`)),
      ...SIGN_COLUMNS,
    ],
    rows: all.flatMap(({ experiment, smokeRun, comparisons }) =>
      comparisons
        .filter(({ primary }) => primary)
        .map((comparison) => [
          experiment + (smokeRun ? ' (smoke run)' : ''),
          comparison.treatment,
          comparison.baseline,
          ...comparison.effects.map(({ trimmedMean }) => withInterval(trimmedMean, gain)),
          ...signCells(comparison),
        ]),
    ),
  };
}

function effectTable({ units, comparisons }: PooledRuns, of: keyof PooledEffect & ('mean' | 'trimmedMean')): Table {
  return {
    columns: [text('condition'), text('against'), ...units.map(({ name, model }) => number(`${name}: ${model}`))],
    rows: comparisons.map((comparison) => [
      ...namesOf(comparison),
      ...comparison.effects.map((effect) => withInterval(effect[of], gain)),
    ]),
  };
}
