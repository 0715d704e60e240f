/**
 * Makes the committed runs, `results/built-in`, their log and the pictures of them again: the built-in model under every experiment that it can be asked.
 *
 *     npx tsx tools/results/make.ts [--only exp02,bos]
 *     npx tsx tools/results/make.ts --model .work/tiny/models/seed1 --into results/seeds/1 --only exp02
 *
 * The second form makes those of another training seed. A run is made in `.work` and takes the place of the committed one when it has ended, with its samples, trials and summary compressed. What was interrupted goes on
 * when this is started again. git keeps the reports of few runs; `dkv report results/built-in --format html,md` makes those of all.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { EXPERIMENT_IDS } from '../../src/experiments/catalogue/ids.js';
import { makePictures } from '../pictures/make.js';

/** Experiments on other models than the built-in one. */
const OF_OTHERS = ['v4-09', 'v4-10'];

/** Every outcome, which takes some three times as long as NLLs alone. */
const OUTCOMES = ['--outcomes', 'temperature', 'contrast', 'recall'];

/** Every arm. */
const ARMS = ['--arms', 'machinery', 'no_document', 'target_form'];

/** What their commands have beside `dkv run ID`: long documents take hours at the protocol's number of samples, and a language model writes for `exp05`. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  exp01: [...ARMS, ...OUTCOMES],
  exp03: ['--n', '60'],
  exp03b: ['--n', '60'],
  'v4-02': ['--n', '20'],
  exp05: ['--writer', 'self'],
};

const ROOT = path.resolve(import.meta.dirname, '../..');

const ALL: readonly string[] = EXPERIMENT_IDS.filter((id) => !OF_OTHERS.includes(id));
const BUILT_IN = 'results/built-in';
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    model: { type: 'string' },
    into: { type: 'string', default: BUILT_IN },
  },
});
if ((values.model === undefined) !== (values.into === BUILT_IN)) {
  throw new Error('--model and --into: give both, or neither for the built-in model');
}
const underWay = path.join(ROOT, '.work', values.into);
const committed = path.join(ROOT, values.into);
const model = values.model === undefined ? [] : ['--model', values.model];
const wanted = values.only?.split(',') ?? ALL;
const unknown = wanted.filter((id) => !ALL.includes(id));
if (unknown.length > 0) throw new Error(`--only ${unknown.join()}: expected some of ${ALL.join()}`);

function dkv(...args: readonly string[]): void {
  process.stdout.write(`dkv ${args.join(' ')}\n`);
  const main = path.join(ROOT, 'dist/cli/main.js');
  const { status } = spawnSync(process.execPath, [main, ...args], { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) throw new Error(`dkv ${args.join(' ')} ended with ${status}; what was done goes on from here`);
}

mkdirSync(underWay, { recursive: true });
mkdirSync(committed, { recursive: true });
for (const id of wanted) {
  const folder = path.join(underWay, id);
  dkv('run', id, ...model, ...(OPTIONS[id] ?? []), '--out', path.relative(ROOT, folder), '--resume', '--compress');
  const place = path.join(committed, id);
  rmSync(place, { recursive: true, force: true });
  renameSync(folder, place);
}
if (values.model === undefined) {
  dkv('log', BUILT_IN, '--output', 'docs/experiment-log.md');
  await makePictures();
}
