/**
 * Makes the committed runs, `results/built-in`, and their log again: the built-in model under every experiment that it can be asked.
 *
 *     npx tsx tools/results/make.ts [--only exp02,bos]
 *
 * A run is made in `.work/results` and takes the place of the committed one when it has ended, with its trials compressed. What was interrupted goes on
 * when this is started again.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { EXPERIMENT_IDS } from '../../src/experiments/catalogue/ids.js';

/** Experiments on other models than the built-in one. */
const OF_OTHERS = ['v4-09', 'v4-10'];

/** What their commands have beside `dkv run ID`: long documents take hours at the protocol's number of samples, and a language model writes for `exp05`. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  exp03: ['--n', '60'],
  exp03b: ['--n', '60'],
  'v4-02': ['--n', '20'],
  exp05: ['--writer', 'self'],
};

const ROOT = path.resolve(import.meta.dirname, '../..');
const UNDER_WAY = path.join(ROOT, '.work/results');
const COMMITTED = path.join(ROOT, 'results/built-in');

const ALL: readonly string[] = EXPERIMENT_IDS.filter((id) => !OF_OTHERS.includes(id));
const { values } = parseArgs({ options: { only: { type: 'string' } } });
const wanted = values.only?.split(',') ?? ALL;
const unknown = wanted.filter((id) => !ALL.includes(id));
if (unknown.length > 0) throw new Error(`--only ${unknown.join()}: expected some of ${ALL.join()}`);

function dkv(...args: readonly string[]): void {
  process.stdout.write(`dkv ${args.join(' ')}\n`);
  const main = path.join(ROOT, 'dist/cli/main.js');
  const { status } = spawnSync(process.execPath, [main, ...args], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error(`dkv ${args.join(' ')} ended with ${status}; what was done goes on from here`);
}

mkdirSync(UNDER_WAY, { recursive: true });
for (const id of wanted) {
  const folder = path.join(UNDER_WAY, id);
  dkv('run', id, ...(OPTIONS[id] ?? []), '--out', path.relative(ROOT, folder), '--resume', '--compress');
  const committed = path.join(COMMITTED, id);
  rmSync(committed, { recursive: true, force: true });
  renameSync(folder, committed);
}
dkv('log', 'results/built-in', '--output', 'docs/experiment-log.md');
