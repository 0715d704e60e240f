import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { BUILT_IN_MODEL } from '../../src/scoring/load-model.js';
import { runSelfTest } from '../../src/scoring/self-test.js';
import { temporaryFolder } from '../support/fixtures.js';

it("finds the reference's numbers for the built-in model, and notices a number that is not", async () => {
  const { largest, tolerance } = await runSelfTest();
  expect(largest).toBeLessThanOrEqual(tolerance);

  const folder = path.join(await temporaryFolder(), 'tiny');
  await cp(BUILT_IN_MODEL, folder, { recursive: true });
  const file = path.join(folder, 'self-test.json');
  const cases = JSON.parse(await readFile(file, 'utf8'));
  cases.at(-1).token_nlls[0] += 0.001;
  await writeFile(file, JSON.stringify(cases));
  const wrong = await runSelfTest({}, folder);
  expect(wrong.largest).toBeGreaterThan(wrong.tolerance);
});
