/** Which runs may be taken together: one experiment, protocol and data, each unit another model. */
import { DkvError } from '../base/errors.js';
import { type Change, type Configuration, changes } from '../runs/schema/configuration.js';
import type { FinishedRun } from '../runs/schema/run.js';
import { listed } from './words/labels.js';

export interface PoolableRun {
  readonly directory: string;
  readonly run: Pick<FinishedRun, 'summary' | 'samples' | 'trials'>;
}

const invalid = (message: string) => new DkvError('INPUT_INVALID', message);

/**
 * Refuses runs that cannot be taken together.
 * @param seeds says that the units are training seeds of one recipe; the built-in model may then be one of them
 * @throws DkvError INPUT_INVALID
 */
export function expectPoolable(runs: readonly PoolableRun[], seeds: boolean): void {
  if (runs.length < 2) throw invalid('Give two run folders or more, one a model.');
  for (const { directory, run } of runs) {
    const { unit, id } = run.summary.configuration.experiment;
    if (unit !== 'sample')
      throw invalid(`${directory}: ${id} has no gains in NLL sample by sample, which are what is taken together.`);
    if (run.trials.length === 0)
      throw invalid(`${directory}: holds no trials, which all numbers are made from. Bring them back from a copy.`);
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
      `${runs[builtIn]!.directory} is a run of the built-in model, ${runs[other]!.directory} one of ${configurations[other]!.model.name}. The built-in model is trained to use a query in the encoder, so its effects are taught, not found: the two never share a table. Training seeds of it are taken together with --training-seeds.`,
    );
  }
  for (const [r, configuration] of configurations.entries()) {
    const { directory } = runs[r]!;
    const same = configurations.findIndex((one, o) => o < r && isSameModel(one, configuration));
    if (same >= 0) {
      const { name, precision: before } = configurations[same]!.model;
      const { name: own, precision: now } = configuration.model;
      throw invalid(
        `${runs[same]!.directory} and ${directory} are of the same model, ${name === own ? own : `${name} and ${own} by its weights`}${before === now ? '' : `, in ${before} and in ${now}`}: a model counts once. Give one of the two.`,
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

/**
 * Equal numbers under two names are one model, and so are equal weights, one name at two precisions, or one name on the hub. Folders of one name in one precision
 * may hold two models: their numbers say so. Of two folders at two precisions older runs do not say whether their weights are the same.
 */
function isSameModel({ model: a }: Configuration, { model: b }: Configuration): boolean {
  if (a.fingerprint === b.fingerprint) return true;
  if (a.weights !== undefined && b.weights !== undefined) return a.weights === b.weights;
  return a.name === b.name && (a.name.includes('/') || a.precision !== b.precision);
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
