/** The command that goes on with a run, with the options that its record says it was begun with. */
import path from 'node:path';
import { shellWord } from '../base/shell-word.js';
import type { RunRecord } from './schema/record.js';

/**
 * The command that finishes a run. A run of a file of one's own takes data and model from that file, as it did.
 * @param directory the run's folder
 */
export function goOnCommand({ configuration, study, plan }: RunRecord, directory: string): string {
  const { experiment, samples, seed, dataset, model, device, max_tokens, writer, control_tokens, margin_from } =
    configuration;
  // Where a device computes in 16 bits, the record names the device as well.
  const [precision] = model.precision.split(' ');
  const { outcomes = [], arms = [], prompt } = experiment;
  const isOwn = (option: string) => study === undefined || study.overruled.includes(option);
  const options: readonly (readonly [option: string, values: readonly (string | number)[]])[] = [
    ['--n', [samples]],
    ['--seed', [seed]],
    ...(isOwn('--dataset') ? [['--dataset', [dataset.name]] as const] : []),
    ...(isOwn('--model') && !model.built_in ? [['--model', [model.name]] as const] : []),
    ...(precision === 'float32' ? [] : [['--precision', [precision!]] as const]),
    ...(device === 'cpu' ? [] : [['--device', [device]] as const]),
    ['--max-length', [max_tokens]],
    ['--prompt', [prompt]],
    ['--outcomes', outcomes.length > 0 ? outcomes : ['none']],
    ...(arms.length > 0 ? [['--arms', arms] as const] : []),
    ...(control_tokens === 'keep' ? [['--control-tokens', ['keep']] as const] : []),
    ...(writer === 'self' ? [['--writer', ['self']] as const] : []),
    ...(plan ? [['--plan', ['FILE']] as const] : []),
    ...(margin_from ? [['--margin-from', [path.join(directory, margin_from.run)]] as const] : []),
  ];
  const given = options.map(([option, values]) => [option, ...values.map((one) => shellWord(String(one)))].join(' '));
  return ['dkv run', shellWord(study?.file ?? experiment.id), ...given, '--out', shellWord(directory), '--resume'].join(
    ' ',
  );
}
