/** `dkv import`: numbers that others recorded, as run folders. */

import path from 'node:path';
import { Command } from 'commander';
import { counted } from '../base/counted.js';
import { shellWord } from '../base/shell-word.js';
import { importedRunsSchema } from '../wire/runs.js';
import { printJson } from './json.js';
import { whileBlocked } from './terminal.js';

interface AuthorsOptions {
  readonly out: string;
  readonly json: boolean;
}

export function importCommand(): Command {
  return new Command('import').description('Read results that others recorded into run folders.').addCommand(authors());
}

function authors(): Command {
  return new Command('authors')
    .description('The per-sample NLLs of the research’s experiments 01, 02 and 2B, T5Gemma 2 4b-4b in bfloat16.')
    .argument(
      '<folder>',
      'the research’s repository, its folder of results, or one of authors-exp01.jsonl and the like',
    )
    .option('--out <folder>', 'a new folder: a run folder for each experiment is made in it', 'results/authors')
    .option('--json', 'print the run folders as JSON', false)
    .addHelpText(
      'after',
      `
Read are checkpoint.json of exp01, exp02 and exp02b, below archive/directed_kvcache_v3/results or in the folder itself, or lines of the same
numbers without texts, authors-exp01.jsonl, authors-exp02.jsonl and authors-exp2b.jsonl. 2B has no bare document and needs 02 beside it.

The folders are read by "dkv report", "dkv compare" and "dkv log". They are marked as imported: one number a sample and condition, the mean
over the answer's tokens, exact to a step of bfloat16 and no finer. What these numbers show: docs/authors-records.md.

Examples:
  dkv import authors research
  dkv import authors research/archive/directed_kvcache_v3/results --out results/theirs
  dkv import authors numbers --json
  dkv report results/authors/exp02`,
    )
    .action(importAuthors);
}

async function importAuthors(folder: string, { out, json }: AuthorsOptions): Promise<void> {
  const { readAuthorsRecords } = await import('../experiments/imported/records.js');
  const { expectNew, runOf, writeImported } = await import('../experiments/imported/import.js');
  await expectNew(out);
  const records = await readAuthorsRecords(folder);
  const runs = whileBlocked(() => records.map(runOf));
  await writeImported(out, runs);
  const shown = records.map(({ experiment, source, samples }, at) => ({
    experiment,
    directory: path.join(out, experiment),
    file: source.file,
    samples: samples.length,
    conditions: runs[at]!.summary.conditions.length,
  }));
  if (json) return printJson(importedRunsSchema, { runs: shown });
  for (const { directory, file, samples, conditions } of shown) {
    process.stdout.write(
      `${directory}: ${counted(samples, 'sample')}, ${counted(conditions, 'condition')}, from ${file}\n`,
    );
  }
  process.stdout.write(`Go on with: dkv report ${shellWord(out)}\n`);
}
