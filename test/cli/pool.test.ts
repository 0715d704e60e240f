/** `dkv pool` over folders of run folders: what is taken together, and what counts once. */
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { madeRun, writeRun } from '../report/made-run.js';
import { dkv, jsonLines } from '../support/dkv.js';
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
  const lines = jsonLines(stdout);
  expect(lines).toHaveLength(4);
  const twice = 'asked what another was, copied or run again, and an experiment counts once';
  expect(lines.slice(2)).toEqual(
    ['exp01-copy', 'exp01-new'].map((experiment) => ({ experiment, left_out: twice, same_as: 'first/exp01' })),
  );
  expect(stderr).toBe(`2 experiments left out (${twice}): exp01-copy (as first/exp01), exp01-new (as first/exp01).\n`);
});

it('says in one line which experiments not all folders have', async () => {
  const cwd = await temporaryFolder();
  for (const [draw, folder] of ['first', 'second'].entries()) {
    const model = { name: `lab/${folder}`, fingerprint: String(draw).repeat(64) };
    await writeRun(path.join(cwd, folder, 'exp01'), madeRun(truncation, { samples: 8, draw, model }));
    for (const name of ['one', 'two', 'three']) {
      if (draw > 0) continue;
      await cp(path.join(cwd, folder, 'exp01'), path.join(cwd, folder, name), { recursive: true });
    }
  }
  const line = '3 experiments left out (not in all folders): one, three, two.';
  const { stdout } = await dkv(['pool', 'first', 'second'], { cwd });
  expect(stdout.split('\n').filter((one) => one.includes('left out'))).toEqual([line]);
  const { stdout: json, stderr } = await dkv(['pool', 'first', 'second', '--json'], { cwd });
  expect(stderr).toBe(`${line}\n`);
  expect(jsonLines(json).slice(1)).toEqual(
    ['one', 'three', 'two'].map((experiment) => ({ experiment, left_out: 'not in all folders' })),
  );
});
