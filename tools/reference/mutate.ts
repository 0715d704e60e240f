/**
 * Breaks the arithmetic in one place at a time and checks that a test notices: each mutation is applied to a copy of the project in
 * which the named tests must then fail.
 *
 *   npx tsx tools/reference/mutate.ts [PART_OF_A_NAME]
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { MUTATIONS } from './mutations.js';

const root = path.resolve(import.meta.dirname, '../..');
const [part = ''] = process.argv.slice(2);
let survived = 0;
const chosen = MUTATIONS.filter(({ name }) => name.includes(part));
for (const { name, file, from, to, tests = 'test/parity.test.ts' } of chosen) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'dkv-mutation-'));
  for (const entry of ['src', 'test', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'vitest.config.ts']) {
    cpSync(path.join(root, entry), path.join(folder, entry), { recursive: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  const target = path.join(folder, file);
  const source = readFileSync(target, 'utf8');
  writeFileSync(
    target,
    source.replace(from, () => to),
  );
  const pattern = tests.includes('parity') ? ['-t', 'within the stated tolerances'] : [];
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const { status, stdout } = spawnSync(process.execPath, [vitest, 'run', tests, ...pattern], {
    cwd: folder,
    encoding: 'utf8',
    // Compiled models are keyed by content and not by the code that made them.
    env: { ...process.env, DKV_CACHE: path.join(folder, 'cache'), NO_COLOR: '1' },
  });
  const failed = /Tests +(\d+) failed/.exec(stdout)?.[1] ?? '0';
  // A test that fails noticed; a run that did not get as far as its tests says nothing.
  const noticed = status !== 0 && failed !== '0';
  if (!noticed) survived++;
  console.log(`${noticed ? 'noticed' : 'SURVIVED'}  ${name} (${failed} tests failed)`);
  if (!noticed && status !== 0) console.log(stdout.slice(-1500));
  rmSync(folder, { recursive: true });
}
console.log(`${chosen.length} mutations, ${survived} survived`);
process.exitCode = survived > 0 ? 1 : 0;
