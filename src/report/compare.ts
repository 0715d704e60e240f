/** Several runs side by side: what differs between them, and their effects aligned by condition. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import type { GainRecord } from '../runs/schema/gains.js';
import type { ComparisonSummary, Summary } from '../runs/schema/summary.js';
import type { Estimate } from '../stats/gains.js';
import { type ConfigurationDifference, differencesOf } from './configuration-differences.js';
import { effectsOf as measuredEffects } from './tables/gains.js';
import { number, renderMarkdown, type Table, text } from './tables/table.js';
import { ratio, signed, withInterval } from './words/format.js';
import { conditionOf, letter } from './words/labels.js';
import { FRAMING } from './words/notes.js';

export interface ComparedRun {
  readonly directory: string;
  readonly summary: Summary;
}

/** A run's side of one comparison. */
interface Effect {
  readonly mean: Estimate;
  readonly d: Estimate;
  readonly trimmedMean: Estimate;
  /** The robust d; undefined in summaries of older versions. */
  readonly robustD?: Estimate | undefined;
  /** The share of the oracle's gain; undefined for a ranking. */
  readonly share?: ComparisonSummary['share'];
}

export interface RunComparison {
  readonly runs: readonly {
    readonly name: string;
    readonly directory: string;
    readonly experiment: string;
    readonly model: string;
    /** True for a run that others recorded and this program did not compute. */
    readonly imported?: true;
    readonly dataset: string;
    readonly samples: number;
    readonly smokeRun: boolean;
  }[];
  readonly differences: readonly ConfigurationDifference[];
  /** One for each treatment and baseline of any run, aligned by what they do; null where a run does not have it. */
  readonly comparisons: readonly {
    readonly treatment: string;
    readonly baseline: string;
    /** The measure of a ranking; NLL where it is left out. */
    readonly measure?: string;
    readonly effects: readonly (Effect | null)[];
  }[];
}

/**
 * Lays runs of one experiment beside each other.
 * @throws DkvError INPUT_INVALID for fewer than two runs, and for the built-in model beside another one
 */
export function compareRuns(runs: readonly ComparedRun[]): RunComparison {
  if (runs.length < 2) throw new DkvError('INPUT_INVALID', 'Give two run folders or more to compare.');
  const builtIn = runs.filter(({ summary }) => summary.configuration.model.built_in);
  if (builtIn.length > 0 && builtIn.length < runs.length) {
    const other = runs.find(({ summary }) => !summary.configuration.model.built_in)!;
    throw new DkvError(
      'INPUT_INVALID',
      `${builtIn[0]!.directory} is a run of the built-in model, ${other.directory} one of ${other.summary.configuration.model.name}. The built-in model is trained to use a query in the encoder, so its effects are taught, not found: the two never share a table. Compare runs of the built-in model with each other.`,
    );
  }
  const rows = new Map<string, AlignedRow>();
  for (const [r, { summary }] of runs.entries()) {
    for (const { treatment, baseline, measure, effect } of effectsOf(summary)) {
      const definitions = [treatment, baseline].map((name) => definitionOf(summary, name));
      const key = JSON.stringify([...definitions, measure]);
      const row = rows.get(key) ?? { treatments: [], baselines: [], measure, effects: runs.map(() => null) };
      row.treatments.push(treatment);
      row.baselines.push(baseline);
      row.effects[r] = effect;
      rows.set(key, row);
    }
  }
  const missing = (row: { effects: readonly (Effect | null)[] }) => row.effects.filter((effect) => !effect).length;
  return {
    runs: runs.map(({ directory, summary: { configuration, smoke_run } }, r) => ({
      name: letter(r),
      directory,
      experiment: configuration.experiment.id,
      model: configuration.model.name,
      ...(configuration.imported && { imported: true as const }),
      dataset: configuration.dataset.name,
      samples: configuration.samples,
      smokeRun: smoke_run,
    })),
    differences: differencesOf(runs.map(({ summary }) => summary.configuration)),
    // What all runs have comes first.
    comparisons: [...rows.values()]
      .sort((a, b) => missing(a) - missing(b))
      .map(({ treatments, baselines, measure, effects }) => ({
        treatment: namesOf(treatments),
        baseline: namesOf(baselines),
        ...(measure !== undefined && { measure }),
        effects,
      })),
  };
}

interface AlignedRow {
  /** The names that runs give to the same condition. */
  readonly treatments: string[];
  readonly baselines: string[];
  readonly measure: string | undefined;
  readonly effects: (Effect | null)[];
}

/** What a condition does, whatever it is called: conditions of different runs are the same if this is. */
function definitionOf({ configuration }: Summary, condition: string): unknown {
  const { name: _, ...definition } = conditionOf(configuration.experiment, condition);
  return definition;
}

function namesOf(names: readonly string[]): string {
  return [...new Set(names)].join(' = ');
}

function effectsOf({ comparisons, ranking }: Summary) {
  const byNll = measuredEffects({ comparisons }).map(({ treatment, baseline, gain, share }) => ({
    treatment,
    baseline,
    measure: undefined,
    effect: { ...effectOf(gain), share },
  }));
  const byMeasure = (ranking?.comparisons ?? []).flatMap(({ treatment, baseline, differences }) =>
    differences.map((gain, m) => ({
      treatment,
      baseline,
      measure: ranking!.measures[m]!.name as string | undefined,
      effect: effectOf(gain),
    })),
  );
  return [...byNll, ...byMeasure];
}

function effectOf({ mean, d, trimmed_mean, robust_d }: GainRecord): Effect {
  return { mean, d, trimmedMean: trimmed_mean, ...(robust_d && { robustD: robust_d }) };
}

/** The longest value of a field that a table shows. */
const LONGEST_VALUE = 90;

export function comparisonMarkdown(comparison: RunComparison): string {
  const { runs, comparisons } = comparison;
  const byNll = comparisons.filter(({ measure }) => measure === undefined);
  const ranked = comparisons.filter(({ measure }) => measure !== undefined);
  const parts = [
    '# Runs compared',
    renderMarkdown(runTable(comparison)),
    ...(runs.some(({ smokeRun }) => smokeRun)
      ? ['> **Smoke runs are among these, with fewer samples than their protocols ask for: no conclusions.**']
      : []),
    'Conditions are aligned by what they do; where runs call one differently, both names stand. Intervals are 95%, of each run by itself; that two of them overlap does not say that the runs agree. A dash: the run does not have the comparison, or its summary is of an older version, which “dkv report” makes again from the trials.',
    '## What differs',
    differenceText(comparison),
  ];
  if (byNll.length > 0) {
    parts.push(
      '## Gains by NLL',
      FRAMING,
      '**Robust d [95%]**',
      renderMarkdown(
        effectTable(comparison, byNll, ({ robustD }) => (robustD ? withInterval(robustD, (x) => signed(x, 2)) : '–')),
      ),
      '**Trimmed mean gain, nats per token [95%]**',
      renderMarkdown(
        effectTable(comparison, byNll, ({ trimmedMean }) => withInterval(trimmedMean, (x) => signed(x, 3))),
      ),
      '**d, nominal**',
      renderMarkdown(effectTable(comparison, byNll, ({ d }) => signed(d.value, 2))),
      '**Mean gain, nats per token [95%]**',
      renderMarkdown(effectTable(comparison, byNll, ({ mean }) => withInterval(mean, (x) => signed(x, 3)))),
      '**% of the oracle’s gain [95%]**',
      renderMarkdown(effectTable(comparison, byNll, ({ share }) => (share ? ratio(share) : '–'))),
    );
  }
  if (ranked.length > 0) {
    parts.push(
      '## Ranking, treatment less baseline',
      renderMarkdown(effectTable(comparison, ranked, ({ mean }) => withInterval(mean, (x) => signed(x, 3)))),
    );
  }
  return `${parts.join('\n\n')}\n`;
}

function runTable({ runs }: RunComparison): Table {
  return {
    columns: [
      text('run'),
      text('folder'),
      text('experiment'),
      text('model'),
      text('dataset'),
      number('N'),
      text('smoke run'),
    ],
    rows: runs.map(({ name, directory, experiment, model, imported, dataset, samples, smokeRun }) => [
      name,
      path.basename(path.resolve(directory)),
      experiment,
      `${model}${imported ? ' (imported)' : ''}`,
      dataset,
      String(samples),
      smokeRun ? 'yes' : 'no',
    ]),
  };
}

function differenceText({ runs, differences }: RunComparison): string {
  if (differences.length === 0) return 'Nothing: the runs have the same configuration.';
  const short = (value: string) => (value.length > LONGEST_VALUE ? `${value.slice(0, LONGEST_VALUE)}…` : value);
  return renderMarkdown({
    columns: [text('field'), ...runs.map(({ name }) => text(name))],
    rows: differences.map(({ field, values }) => [field, ...values.map(short)]),
  });
}

/** The table of effects, one column for each run. */
function effectTable(
  { runs }: RunComparison,
  comparisons: RunComparison['comparisons'],
  show: (effect: Effect) => string,
): Table {
  const ranked = comparisons.some(({ measure }) => measure !== undefined);
  return {
    columns: [
      ...(ranked ? [text('measure')] : []),
      text('condition'),
      text('against'),
      ...runs.map(({ name, model, dataset }) => number(`${name}: ${model}, ${dataset}`)),
    ],
    rows: comparisons.map(({ treatment, baseline, measure, effects }) => [
      ...(ranked ? [measure ?? '–'] : []),
      treatment,
      baseline,
      ...effects.map((effect) => (effect ? show(effect) : '–')),
    ]),
  };
}
