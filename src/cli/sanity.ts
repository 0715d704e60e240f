/** `dkv sanity`: checks whether a model can be trusted as an instrument. */

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { writeRandomCheckpoint } from '../model/random-checkpoint.js';
import { findModel, loadModel, type Model } from '../scoring/load-model.js';
import { sanitySchema } from '../wire/models.js';
import { printJson } from './json.js';
import { addModelOptions, integer, type ModelOptions, openModel, positiveInteger } from './model-options.js';
import { interruptSignal, Progress, paint } from './terminal.js';

/** The largest number of weights of a model for which a random twin is made. */
const RANDOM_TWIN_WEIGHTS = 50e6;

interface SanityCommandOptions extends ModelOptions {
  readonly n: number;
  readonly seed: number;
  readonly json: boolean;
}

export function sanityCommand(): Command {
  const command = new Command('sanity')
    .description('Checks that have a right answer, before any result of a model is believed.')
    .option('--n <n>', 'advertisements', positiveInteger, 200)
    .option('--seed <n>', 'seed of the advertisements', integer, 42)
    .option('--json', 'for machines', false);
  return addModelOptions(command)
    .addHelpText(
      'after',
      '\nThe exit status is 1 when a check fails.\n\nExamples:\n  dkv sanity\n  dkv sanity --model google/t5gemma-2-270m-270m --n 50',
    )
    .action(sanity);
}

async function sanity(options: SanityCommandOptions): Promise<void> {
  const { runSanity } = await import('../experiments/screening/sanity.js');
  const signal = interruptSignal();
  const model = await openModel(options, signal);
  const progress = new Progress('sanity', 'groups of checks');
  const twin = await randomTwin(model, options);
  try {
    const checks = await runSanity(model, {
      samples: options.n,
      seed: options.seed,
      maxTokens: options.maxLength,
      signal,
      ...(twin && { random: twin.model }),
      onProgress: (done, total) => progress.update(done, total),
    });
    progress.end();
    if (options.json) printJson(sanitySchema, { model: model.name, fingerprint: model.fingerprint, checks });
    else {
      const mark = {
        pass: paint('green', 'pass   '),
        fail: paint('red', 'fail   '),
        finding: paint('cyan', 'finding'),
      };
      const width = Math.max(...checks.map(({ name }) => name.length));
      for (const { name, question, state, result } of checks) {
        process.stdout.write(
          `${mark[state]}  ${name.padEnd(width)}  ${question}\n${' '.repeat(9 + width + 2)}${result}\n`,
        );
      }
    }
    if (checks.some(({ state }) => state === 'fail')) process.exitCode = 1;
  } finally {
    progress.end();
    await model.close();
    await twin?.remove();
  }
}

/** Makes a model of the same shape with random weights, and removes it when it is no longer needed. */
async function randomTwin(
  model: Model,
  options: SanityCommandOptions,
): Promise<{ model: Model; remove: () => Promise<void> } | undefined> {
  if (model.engine.info.weights > RANDOM_TWIN_WEIGHTS) return undefined;
  const { directory } = await findModel(options.model);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-random-'));
  await writeRandomCheckpoint(directory, folder, options.seed);
  const twin = await loadModel(folder, { cacheDirectory: path.join(folder, 'cache') });
  return {
    model: twin,
    remove: async () => {
      await twin.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
