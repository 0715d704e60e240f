/** The totals that a run's verdicts take their margins from, where another run is to say them: read from its folder, and held against the run that asks. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../../base/errors.js';
import { readRun } from '../../runs/run-folder.js';
import { type Configuration, differences } from '../../runs/schema/configuration.js';
import type { Experiment } from '../../runs/schema/experiment.js';
import type { FinishedRun } from '../../runs/schema/run.js';
import type { Summary } from '../../runs/schema/summary.js';
import type { Sample } from '../../samples/sample.js';
import { type Model, sameNumbers } from '../../scoring/load-model.js';
import { CHAIN, judgedGroups } from '../analysis/verdicts.js';
import type { Unit } from '../plan/unit.js';

/**
 * @param folder of the earlier run
 * @param directory of the run that asks, from where the record names the other
 * @param asked what is run, as far as the model can be asked
 * @throws DkvError INPUT_INVALID where the other run is unfinished, of another experiment or model, has no total, or shares samples with this one; RUN_DAMAGED
 */
export async function marginFrom(
  folder: string,
  directory: string,
  asked: Experiment,
  model: Pick<Model, 'name' | 'fingerprint' | 'formerly'>,
  units: readonly Unit[],
): Promise<NonNullable<Configuration['margin_from']>> {
  const refused = (what: string, advice: string) =>
    new DkvError('INPUT_INVALID', `--margin-from ${folder}: ${what}. ${advice}`);
  const judged = judgedGroups(asked.contrasts);
  if (judged.length === 0) {
    throw refused(`${asked.id} has no verdicts, which the margin is of`, 'Leave the option out.');
  }
  const found = await stat(folder).catch(() => undefined);
  if (found && !found.isDirectory()) throw refused('it is a file', 'Give the run’s folder.');
  const run = await readRun(folder);
  const { configuration, contrasts } = run.summary;
  const another = `Name a run of ${asked.id} with this model on other samples.`;
  if (configuration.experiment.id !== asked.id) {
    throw refused(`it is a run of ${configuration.experiment.id}, not of ${asked.id}`, another);
  }
  if (!sameNumbers(model).includes(configuration.model.fingerprint)) {
    const { name, precision } = configuration.model;
    throw refused(`its model is ${name} (${precision}), with other numbers than ${model.name} here`, another);
  }
  const [other] = differences(measuredBy(configuration.experiment), measuredBy(asked));
  if (other !== undefined) throw refused(`it measured something else, ${other}`, another);
  const totals = judged.map(({ title }) => ({ title, total: totalOf(contrasts, title) }));
  const lacking = totals.find(({ total }) => total === undefined);
  if (lacking) throw refused(`it has no total of ${lacking.title}`, another);
  const again = sharedWith(run, units);
  if (again.length > 0) {
    throw refused(
      `${again.length} of its samples are this run's, ${again[0]} first`,
      'A margin comes from other samples than its verdicts: take another --seed or other data for one of the two.',
    );
  }
  return {
    run: path.relative(directory, path.resolve(folder)),
    started_at: run.record.started_at,
    samples: run.summary.samples.scored,
    totals: totals as { title: string; total: number }[],
  };
}

/** What the steps of verdicts are made of. */
function measuredBy({ conditions, contrasts, prompt, target }: Experiment) {
  const groups = judgedGroups(contrasts).map(({ title, contrasts: steps }) => ({ title, steps }));
  const used = new Set(groups.flatMap(({ steps }) => steps.flatMap(({ terms }) => Object.keys(terms))));
  return { prompt, target, groups, conditions: conditions.filter(({ name }) => used.has(name)) };
}

function totalOf(contrasts: Summary['contrasts'], title: string): number | undefined {
  const steps = contrasts.find((group) => group.title === title)?.contrasts ?? [];
  const values = steps.filter(({ name }) => CHAIN.some((step) => step === name)).map(({ gain }) => gain.mean.value);
  if (values.length === 0 || values.includes(null)) return undefined;
  return values.reduce<number>((sum, value) => sum + value!, 0);
}

/** The ids of this run's samples that the other run has: by their texts, or where it keeps none by their ids. */
function sharedWith({ samples }: Pick<FinishedRun, 'samples'>, units: readonly Unit[]): string[] {
  const textOf = ({ document, query, answer }: Pick<Sample, 'document' | 'query' | 'answer'>) =>
    JSON.stringify([document, query, answer]);
  const texts = new Set(samples.flatMap(({ texts: own }) => (own ? [textOf(own)] : [])));
  const ids = new Set(samples.flatMap(({ id, texts: own }) => (own ? [] : [id])));
  return units.flatMap(({ sample }) => (texts.has(textOf(sample)) || ids.has(sample.id) ? [sample.id] : []));
}
