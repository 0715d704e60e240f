/** `dkv pool` over folders of run folders: what is taken together, and what counts once. */
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { dkv } from '../support/dkv.js';
import { temporaryFolder } from '../support/fixtures.js';

it('counts a run that a folder holds twice once, and says so', async () => {
  const cwd = await temporaryFolder();
  for (const [folder, draw] of [
    ['first', 1],
    ['second', 2],
  ] as const) {
    const model = { name: `lab/${folder}`, fingerprint: String(draw).repeat(64) };
    const made = madeRun(truncation, { samples: 8, draw, model });
    await writeRun(path.join(cwd, folder, 'exp01'), made);
    // Copied, and run again.
    await cp(path.join(cwd, folder, 'exp01'), path.join(cwd, folder, 'exp01-copy'), { recursive: true });
    await writeRun(path.join(cwd, folder, 'exp01-new'), made);
    const { summary } = made;
    const other = { ...summary, configuration: { ...summary.configuration, seed: 2 } };
    await writeRun(path.join(cwd, folder, 'other'), { ...made, summary: other });
  }
  const { exitCode, stdout, stderr } = await dkv(['pool', 'first', 'second', '--json'], { cwd });
  expect(exitCode, stderr).toBe(0);
  // The other asks other samples.
  expect(stdout.trim().split('\n')).toHaveLength(2);
  for (const name of ['exp01-copy', 'exp01-new']) {
    expect(stderr).toMatch(new RegExp(`${name} is left out: first/${name} was asked what first/exp01 was`));
  }
});
