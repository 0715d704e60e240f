/** The command that goes on with a run, with the options that its record says it was begun with. */
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { shellWord } from '../base/shell-word.js';
import { separatorName } from '../datasets/options.js';
import { RESUME } from './schema/advice.js';
import { RECORD_FILE, type RunRecord } from './schema/record.js';

type Option = readonly [option: string, values: readonly (string | number)[]];

/**
 * The command that finishes a run. A run of a file of one's own takes data and model from that file, as it did. What was imported is imported again.
 * @param directory the run's folder
 */
export function goOnCommand(record: RunRecord, directory: string): string {
  const { configuration, study, plan } = record;
  const { margin_from, imported } = configuration;
  if (imported) return 'dkv import authors FOLDER --out NEW-FOLDER';
  const places = [
    // A run's record holds the plan as it was given.
    ...(plan ? [['--plan', [path.join(directory, RECORD_FILE)]] as const] : []),
    ...(margin_from ? [['--margin-from', [path.join(directory, margin_from.run)]] as const] : []),
    ['--out', [directory]] as const,
  ];
  return `${runCommand(record, study?.file ?? configuration.experiment.id, places)} --resume`;
}

/**
 * The command of such a run.
 * @param experiment its name, or the file that it is in
 * @param places options that name files and folders
 */
export function runCommand(
  record: Pick<RunRecord, 'configuration' | 'study' | 'asked'>,
  experiment: string,
  places: readonly Option[],
): string {
  const given = [...optionsOf(record), ...places].map(([option, values]) =>
    [option, ...values.map((one) => shellWord(String(one)))].join(' '),
  );
  return ['dkv run', shellWord(experiment), ...given].join(' ');
}

/** The options that say what a run is, with their values. An option that stands at its default is not among them. */
export function optionsOf({ configuration, study, asked = {} }: Parameters<typeof runCommand>[0]): readonly Option[] {
  const { experiment, samples, seed, dataset, model, device, max_tokens, batch_tokens, writer, control_tokens } =
    configuration;
  // Where a device computes in 16 bits, the record names the device as well.
  const [precision] = model.precision.split(' ');
  const { outcomes = [], arms = [], prompt } = experiment;
  const isOwn = (option: string) => study === undefined || study.overruled.includes(option);
  const { n = samples, columns = {}, separator, quoting, header } = asked;
  const roles = Object.entries(columns).map(([role, column]) => `${role}=${column}`);
  return [
    ['--n', [n]],
    ['--seed', [seed]],
    ...(isOwn('--dataset') ? [['--dataset', [dataset.name]] as const] : []),
    ...(isOwn('--dataset') && COMMIT.test(dataset.revision)
      ? [['--dataset-revision', [dataset.revision]] as const]
      : []),
    ...(separator === undefined ? [] : [['--separator', [separatorName(separator)]] as const]),
    ...(quoting === undefined ? [] : [['--quoting', [quoting]] as const]),
    ...(header === undefined ? [] : [['--header', [header.join(',')]] as const]),
    ...(roles.length > 0 ? [['--columns', roles] as const] : []),
    ...(isOwn('--model') && !model.built_in ? [['--model', [model.name]] as const] : []),
    ...(precision === 'float32' ? [] : [['--precision', [precision!]] as const]),
    ...(device === 'cpu' ? [] : [['--device', [device]] as const]),
    ['--max-length', [max_tokens]],
    ['--batch-tokens', [batch_tokens]],
    ['--prompt', [prompt]],
    ['--outcomes', outcomes.length > 0 ? outcomes : ['none']],
    ...(arms.length > 0 ? [['--arms', arms] as const] : []),
    ...(control_tokens === 'keep' ? [['--control-tokens', ['keep']] as const] : []),
    ...(writer === 'self' ? [['--writer', ['self']] as const] : []),
  ];
}

/** A commit of the hub; files and generated data have other revisions. */
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Reads something of a run. Messages of those who know its files alone get the whole command.
 * @param directory the run's folder
 */
export async function namingGoOn<T>(record: RunRecord, directory: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof DkvError) || !error.message.includes(RESUME)) throw error;
    const message = error.message.replaceAll(RESUME, () => goOnCommand(record, directory));
    throw new DkvError(error.code, message, { cause: error.cause });
  }
}
