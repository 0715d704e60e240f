/** One experiment of several models or training seeds, taken together: each unit's effects, their signs, and the mean over units where these are enough. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { termsOf } from '../experiments/analysis/columns.js';
import { recordedDifferences } from '../experiments/analysis/differences.js';
import { isOlder } from '../experiments/analysis/renew.js';
import { type Change, type Configuration, changes } from '../runs/schema/configuration.js';
import type { FinishedRun } from '../runs/schema/run.js';
import type { Estimate } from '../stats/gains.js';
import { standardErrorOfMean } from '../stats/mean-inference.js';
import { FEWEST_UNITS, type RandomEffects, randomEffects } from '../stats/random-effects.js';
import { effectsOf } from './tables/gains.js';
import { number, renderMarkdown, type Table, text } from './tables/table.js';
import { fixed, percent, pValue, signed, withInterval } from './words/format.js';
import { isPrimary, letter, listed } from './words/labels.js';
import { FRAMING } from './words/notes.js';

export interface PoolableRun {
  readonly directory: string;
  readonly run: FinishedRun;
}

/** A unit's side of a comparison, in nats per token. */
interface PooledEffect {
  readonly mean: Estimate;
  /** Cluster-robust, of the mean. */
  readonly standardError: number;
  readonly trimmedMean: Estimate;
}

export interface PooledRuns {
  readonly experiment: string;
  readonly dataset: string;
  readonly samples: number;
  /** By the caller's word the units are training seeds of one recipe. */
  readonly seeds: boolean;
  readonly smokeRun: boolean;
  readonly units: readonly {
    readonly name: string;
    readonly directory: string;
    readonly model: string;
    readonly precision: string;
    readonly builtIn: boolean;
    /** Samples that were scored. */
    readonly scored: number;
  }[];
  readonly comparisons: readonly {
    readonly treatment: string;
    readonly baseline: string;
    readonly primary: boolean;
    /** In the order of the units. */
    readonly effects: readonly PooledEffect[];
    /** Units by the sign of their mean, and those of them whose interval does not hold 0. */
    readonly signs: {
      readonly above: number;
      readonly below: number;
      readonly toldAbove: number;
      readonly toldBelow: number;
    };
    /** Null with too few units, and where a unit's effect does not vary. */
    readonly pooled: RandomEffects | null;
  }[];
  /** Why no comparison has a mean over units; null where they have. */
  readonly withoutMean: string | null;
}

/**
 * Takes runs of one experiment together.
 * @param seeds says that the units are training seeds of one recipe; the built-in model may then be one of them
 * @throws DkvError INPUT_INVALID for runs that are not of one experiment, protocol and data, for one model twice, for models that share no table,
 * and for runs without trials
 */
export function poolRuns(runs: readonly PoolableRun[], { seeds = false } = {}): PooledRuns {
  expectPoolable(runs, seeds);
  const first = runs[0]!.run.summary;
  const { experiment, dataset, samples } = first.configuration;
  const recorded = runs.map(({ run }) => recordedDifferences(run));
  const enough = runs.length >= FEWEST_UNITS;
  return {
    experiment: experiment.id,
    dataset: `${dataset.name} ${dataset.revision}`,
    samples,
    seeds,
    smokeRun: runs.some(({ run }) => run.summary.smoke_run),
    units: runs.map(({ directory, run: { summary } }, r) => ({
      name: letter(r),
      directory,
      model: summary.configuration.model.name,
      precision: summary.configuration.model.precision,
      builtIn: summary.configuration.model.built_in,
      scored: summary.samples.scored,
    })),
    comparisons: effectsOf(first).map(({ treatment, baseline }) => {
      const effects = runs.map(({ run }, r): PooledEffect => {
        const { gain } = run.summary.comparisons.find(
          (one) => one.treatment === treatment && one.baseline === baseline,
        )!;
        const { of, depending } = recorded[r]!;
        return {
          mean: gain.mean,
          standardError: standardErrorOfMean(of(termsOf({ treatment, baseline })), depending.dependence),
          trimmedMean: gain.trimmed_mean,
        };
      });
      const varies = effects.every(({ standardError }) => standardError > 0);
      return {
        treatment,
        baseline,
        primary: isPrimary(experiment, { treatment, baseline }),
        effects,
        signs: signsOf(effects),
        pooled:
          enough && varies
            ? randomEffects(effects.map(({ mean, standardError }) => ({ effect: mean.value!, standardError })))
            : null,
      };
    }),
    withoutMean: enough
      ? null
      : `${runs.length} units: how much units differ is not known from fewer than ${FEWEST_UNITS}, so there is no mean over them; what each shows, and its sign, stands below.`,
  };
}

function signsOf(effects: readonly PooledEffect[]): PooledRuns['comparisons'][number]['signs'] {
  const count = (test: (mean: Estimate) => boolean) => effects.filter(({ mean }) => test(mean)).length;
  return {
    above: count(({ value }) => value! > 0),
    below: count(({ value }) => value! < 0),
    toldAbove: count(({ low }) => low !== null && low > 0),
    toldBelow: count(({ high }) => high !== null && high < 0),
  };
}

function expectPoolable(runs: readonly PoolableRun[], seeds: boolean): void {
  const invalid = (message: string) => new DkvError('INPUT_INVALID', message);
  if (runs.length < 2) throw invalid('Give two run folders or more, one a model.');
  for (const { directory, run } of runs) {
    const { configuration } = run.summary;
    const { unit, id } = configuration.experiment;
    if (unit !== 'sample')
      throw invalid(`${directory}: ${id} has no gains in NLL sample by sample, which are what is taken together.`);
    if (isOlder(run.summary))
      throw invalid(`${directory}: its summary is of an older version. "dkv report ${directory}" makes it again.`);
    if (run.trials.length === 0)
      throw invalid(`${directory}: holds no trials, from which standard errors are made. Bring them back from a copy.`);
  }
  const configurations = runs.map(({ run }) => run.summary.configuration);
  const imported = configurations.findIndex((one) => one.imported !== undefined);
  if (imported >= 0) {
    throw invalid(
      `${runs[imported]!.directory} was imported: numbers that this program did not compute are not taken together with others.`,
    );
  }
  const builtIn = configurations.findIndex(({ model }) => model.built_in);
  const other = configurations.findIndex(({ model }) => !model.built_in);
  if (builtIn >= 0 && other >= 0 && !seeds) {
    throw invalid(
      `${runs[builtIn]!.directory} is a run of the built-in model, ${runs[other]!.directory} one of ${configurations[other]!.model.name}. The built-in model is trained to use a query in the encoder, so its effects are taught, not found: the two never share a table. Training seeds of it are taken together with --seeds.`,
    );
  }
  for (const [r, configuration] of configurations.entries()) {
    const { directory } = runs[r]!;
    const same = configurations.findIndex((one, o) => o < r && isSameModel(one, configuration));
    if (same >= 0) {
      throw invalid(
        `${runs[same]!.directory} and ${directory} are of the same model, ${configuration.model.name}: a unit counts once.`,
      );
    }
    const different = changes(comparable(configurations[0]!, seeds), comparable(configuration, seeds));
    if (different.length > 0) {
      throw invalid(
        `${directory} is not of the same ${listed([...new Set(different.map(subjectOf))])} as ${runs[0]!.directory}: ${different.slice(0, NAMED).map(describeChange).join('; ')}${different.length > NAMED ? `; and ${different.length - NAMED} more` : ''}. Only units that were asked the same are taken together; "dkv compare" sets others side by side.`,
      );
    }
  }
}

const NAMED = 3;

/** One name on the hub at two precisions is one model, and so are equal numbers under two names. */
function isSameModel({ model: a }: Configuration, { model: b }: Configuration): boolean {
  return a.fingerprint === b.fingerprint || (a.name === b.name && a.name.includes('/'));
}

/** What has to be the same: all that was asked. Of training seeds the shape of the model, too. */
function comparable(
  { experiment, left_out, samples, seed, dataset, model, control_tokens, max_tokens, writer }: Configuration,
  seeds: boolean,
) {
  const { authors: _, title: __, question: ___, ...asked } = experiment;
  const { vocabulary, positions, window, segments, precision } = model;
  return {
    experiment: { ...asked, left_out },
    protocol: { control_tokens, max_tokens, writer },
    data: { samples, seed, ...dataset },
    ...(seeds && { model: { vocabulary, positions, window, segments, precision } }),
  };
}

function subjectOf({ field }: Change): string {
  return field.split('.')[0]!;
}

function describeChange({ field, before = 'nothing', now = 'nothing' }: Change): string {
  const short = (value: string) => (value.length > 60 ? `${value.slice(0, 60)}…` : value);
  return `${field} is ${short(now)}, not ${short(before)}`;
}

const NOTES = {
  mean: 'Random effects: the mean over units of this kind, with 95% by Hartung and Knapp’s standard error and Student’s t, never below that of known weights; tau by Paule and Mandel is the standard deviation of true effects between units. Where another unit’s effect would lie: 95%. I²: share of the variance between units that is not sampling error.',
  samples:
    'All units were asked the same samples, so that their sampling errors go together: what is said of units like these is said of these samples. Each unit’s own interval is over samples.',
} as const;

export function pooledMarkdown(pooled: PooledRuns): string {
  const { experiment, dataset, samples, units, comparisons, seeds, smokeRun, withoutMean } = pooled;
  const mixed = units.some(({ builtIn }) => builtIn);
  return `${[
    `# ${experiment} over ${units.length} ${seeds ? 'training seeds' : 'models'}`,
    ...(smokeRun
      ? ['> **Smoke runs are among these, with fewer samples than the protocol asks for: no conclusions.**']
      : []),
    ...(seeds
      ? [
          '> **By the word of whoever called, the units are training seeds of one recipe; this program sees only that their shapes agree.**',
        ]
      : []),
    ...(mixed
      ? [
          '> **Results of the built-in model: trained on generated advertisements, and trained to use a query in the encoder. They say how it behaves, nothing about T5Gemma 2.**',
        ]
      : []),
    ...(withoutMean === null ? [] : [`> **${withoutMean}**`]),
    `${samples} samples of ${dataset}.`,
    renderMarkdown(unitTable(pooled)),
    FRAMING,
    ...(withoutMean === null
      ? ['## Over units, mean gain in nats per token', NOTES.mean, renderMarkdown(meanTable(comparisons))]
      : []),
    '## Signs',
    'Units whose mean gain is above or below 0, and in brackets those whose 95% interval does not hold 0.',
    renderMarkdown(signTable(comparisons)),
    '## Unit by unit',
    NOTES.samples,
    '**Mean gain, nats per token [95%]**',
    renderMarkdown(effectTable(pooled, ({ mean }) => mean)),
    '**Trimmed mean gain, nats per token [95%]**',
    renderMarkdown(effectTable(pooled, ({ trimmedMean }) => trimmedMean)),
  ].join('\n\n')}\n`;
}

function unitTable({ units }: PooledRuns): Table {
  return {
    columns: [text('unit'), text('folder'), text('model'), text('precision'), number('scored')],
    rows: units.map(({ name, directory, model, precision, scored }) => [
      name,
      path.basename(path.resolve(directory)),
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
      const gain = (x: number | null) => signed(x, 3);
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

function signTable(comparisons: Comparisons): Table {
  return {
    columns: [text('condition'), text('against'), number('above 0'), number('below 0')],
    rows: comparisons.map((comparison) => {
      const { above, below, toldAbove, toldBelow } = comparison.signs;
      return [...namesOf(comparison), `${above} (${toldAbove})`, `${below} (${toldBelow})`];
    }),
  };
}

function effectTable({ units, comparisons }: PooledRuns, estimateOf: (effect: PooledEffect) => Estimate): Table {
  return {
    columns: [text('condition'), text('against'), ...units.map(({ name, model }) => number(`${name}: ${model}`))],
    rows: comparisons.map((comparison) => [
      ...namesOf(comparison),
      ...comparison.effects.map((effect) => withInterval(estimateOf(effect), (x) => signed(x, 3))),
    ]),
  };
}
