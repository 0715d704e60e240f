/** `dkv models verify`: are compiled models what was written? */

import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { DkvError } from '../base/errors.js';
import { openCheckpoint } from '../model/checkpoint.js';
import { compiledFolders, compiledFoldersOf, defaultCacheDirectory, verifyCompiled } from '../model/compiled.js';
import { findModel } from '../scoring/load-model.js';
import { modelVerificationSchema } from '../wire/models.js';
import { printJson } from './json.js';
import { LoadingProgress } from './model-options.js';
import { interruptSignal, Progress } from './terminal.js';

interface VerifyOptions {
  readonly remove: boolean;
  readonly json: boolean;
}

interface Verdict {
  readonly directory: string;
  /** The fault that was found, if any. */
  readonly damage?: string;
  readonly removed?: boolean;
}

export function verifyCommand(): Command {
  return new Command('verify')
    .description(
      'Read compiled models from first byte to last and compare them with the digests of when they were made.',
    )
    .argument('[models...]', 'checkpoint folders or names on the hub; everything compiled when left out')
    .option('--remove', 'remove what is damaged; it is made again at its next use', false)
    .option('--json', 'for machines', false)
    .addHelpText(
      'after',
      `
A model that is loaded is checked as well, but read only if its files were touched since they were checked last.
Exit status 1 says that something is damaged and still there.

Examples:
  dkv models verify
  dkv models verify google/t5gemma-2-270m-270m --remove`,
    )
    .action(verify);
}

async function verify(models: readonly string[], { remove, json }: VerifyOptions): Promise<void> {
  const signal = interruptSignal();
  const cache = defaultCacheDirectory();
  const folders = models.length > 0 ? await foldersOf(models, cache, signal) : await compiledFolders(cache);
  const progress = new Progress('checking', 'MB');
  let bytes = 0;
  const onBytes = (read: number) => {
    bytes += read;
    progress.count(Math.round(bytes / 1e6));
  };
  const verdicts: Verdict[] = [];
  for (const directory of folders) {
    const damage = await verifyCompiled(directory, { onBytes, signal }).then(() => undefined, damageOf);
    progress.end();
    const removed = damage !== undefined && remove;
    if (removed) await rm(directory, { recursive: true });
    verdicts.push({ directory, ...(damage !== undefined && { damage }), ...(removed && { removed }) });
    if (!json) process.stdout.write(`${lineOf(verdicts.at(-1)!)}\n`);
  }
  if (json) printJson(modelVerificationSchema, { models: verdicts });
  else if (folders.length === 0) process.stdout.write(`nothing compiled in ${cache}\n`);
  if (verdicts.some(({ damage, removed }) => damage !== undefined && !removed)) process.exitCode = 1;
}

function damageOf(error: unknown): string {
  if (error instanceof DkvError && error.code === 'CACHE_DAMAGED') return error.message;
  throw error;
}

function lineOf({ directory, damage, removed }: Verdict): string {
  if (removed) return `removed   ${directory}`;
  return damage === undefined ? `intact    ${directory}` : `DAMAGED   ${damage}`;
}

async function foldersOf(models: readonly string[], cache: string, signal: AbortSignal): Promise<string[]> {
  const progress = new LoadingProgress();
  const folders = new Set<string>();
  try {
    for (const model of models) {
      const { directory } = await findModel(model, { ...progress.callbacks, signal });
      for (const folder of await compiledFoldersOf(await openCheckpoint(directory), cache))
        folders.add(path.resolve(folder));
    }
  } finally {
    progress.end();
  }
  return [...folders];
}
