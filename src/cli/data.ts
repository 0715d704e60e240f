/** `dkv data`: the built-in data, to look at or to train on. */
import { Command, Option } from 'commander';
import type { Split } from '../datasets/adworld/ad.js';
import { ADWORLD_VERSION, DEFAULT_ADWORLD_SEED } from '../datasets/adworld/adworld.js';
import { adworldLines } from '../datasets/adworld/lines.js';
import { integer, positiveInteger } from './model-options.js';
import { openOutput } from './output.js';

interface AdworldOptions {
  readonly split: Split;
  readonly count: number;
  readonly seed: number;
  readonly output: string;
}

export function dataCommand(): Command {
  return new Command('data').description('Write built-in data.').addCommand(adworldCommand());
}

function adworldCommand(): Command {
  return new Command('adworld')
    .description(
      `Advertisements with questions and answers, generated (version ${ADWORLD_VERSION}): one JSON line each.`,
    )
    .addOption(
      new Option('--split <name>', 'names and templates of test and validation never occur in train')
        .choices(['train', 'validation', 'test'])
        .default('test'),
    )
    .option('--count <n>', 'advertisements', positiveInteger, 10)
    .option('--seed <n>', 'the same seed gives the same advertisements', integer, DEFAULT_ADWORLD_SEED)
    .option('--output <file>', '- for standard output', '-')
    .addHelpText(
      'after',
      `
Examples:
  dkv data adworld --count 1
  dkv data adworld --split train --count 20000 --output train.jsonl`,
    )
    .action(writeAdworld);
}

async function writeAdworld({ output: file, ...range }: AdworldOptions): Promise<void> {
  const output = await openOutput(file);
  for (const line of adworldLines(range)) await output.write(`${line}\n`);
  await output.close();
}
