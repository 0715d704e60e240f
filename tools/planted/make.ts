/**
 * Plants mechanisms in the built-in model's encodes and counts what the verdicts on them are: the tables of docs/protocol.md.
 *
 *     npx tsx tools/planted/make.ts [--samples 2000] [--held 1000] [--resamples 500] [--repeats 10000] [--draws 499] [--only scores] [--work .work/planted] [--write]
 *
 * Strengths are found on samples that are held out; then every sample is encoded and scored under all plants at once; then samples are drawn from the scores, 200
 * and 1,000 at a time. What was interrupted goes on when this is started again. `--only scores` ends before anything is drawn. With `--write` the tables go into
 * docs/protocol.md.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { replaceSection, table } from '../../bench/sections.js';
import { scoresOf } from './scores.js';
import { SIZES, tablesOf } from './verdicts.js';

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '2000' },
    held: { type: 'string', default: '1000' },
    resamples: { type: 'string', default: '500' },
    repeats: { type: 'string', default: '10000' },
    draws: { type: 'string', default: '499' },
    only: { type: 'string' },
    work: { type: 'string', default: '.work/planted' },
    write: { type: 'boolean', default: false },
  },
});
const sizes = { samples: Number(options.samples), held: Number(options.held) };
const effort = {
  work: path.resolve(options.work, `${sizes.samples}-${sizes.held}`),
  draws: Number(options.draws),
  resamples: Number(options.resamples),
  repeats: Number(options.repeats),
};
const say = (line: string) => process.stdout.write(`${line}\n`);
const count = (value: number) => value.toLocaleString('en');

mkdirSync(effort.work, { recursive: true });
const scores = await scoresOf(sizes, effort.work, say);
if (options.only !== 'scores') {
  const { verdicts, calibration } = tablesOf(scores, effort, say);
  const { recorded, planted } = scores.nuisance;
  const text = [
    `${count(sizes.samples)} samples of AdWorld, each a cluster; ${count(effort.resamples)} draws of ${SIZES.map(count).join(' and ')} of them with ${count(effort.draws)} resamples each. Strengths, and the totals that margins are of, come from ${count(sizes.held)} other samples.`,
    '',
    ...table([...verdicts.columns], [...verdicts.rows]),
    '',
    `Random changes of document rows move P* by a standard deviation of ${planted.deviation.toFixed(2)} with kurtosis ${planted.kurtosis.toFixed(0)}; recorded are ${recorded.deviation.toFixed(2)} and ${recorded.kurtosis.toFixed(0)}.`,
    '',
    ...table([...calibration.columns], [...calibration.rows]),
  ].join('\n');
  say(`\n${text}`);
  if (options.write) await replaceSection('protocol.md', 'planted', text);
}
