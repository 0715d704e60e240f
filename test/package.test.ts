/** What is promised of an installation: which Node, no script that fetches from elsewhere, and advice where the runtime is missing. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { TESTED_NODE } from '../src/cli/doctor.js';
import { temporaryFolder } from './support/fixtures.js';

const ROOT = path.resolve(import.meta.dirname, '..');
const RUNTIME = 'onnxruntime-node';

async function json(file: string) {
  return JSON.parse(await readFile(path.join(ROOT, file), 'utf8'));
}

test('the versions of Node that doctor names are the engines of the package', async () => {
  const ranges = TESTED_NODE.map((version) => `^${version.join('.')}.0`);
  expect((await json('package.json')).engines.node).toBe(ranges.join(' || '));
});

test('npm ci does not run the install script of onnxruntime-node, which fetches from another host than the registry', async () => {
  const { packages } = await json('package-lock.json');
  const entry = packages[`node_modules/${RUNTIME}`];
  expect(entry.optional).toBe(true);
  // npm writes this line again when the version changes; take it out again, for npm would run the script.
  expect(entry.hasInstallScript).toBeUndefined();
});

test('no setting of npm is one that npm does not know', async () => {
  const known = (await promisify(execFile)('npm', ['config', 'ls', '--long', '--json'], { cwd: ROOT })).stderr;
  expect(known).not.toContain('Unknown project config');
});

test('without onnxruntime-node and data the command starts, and what needs them says how to install it', async () => {
  const folder = await temporaryFolder();
  for (const part of ['dist', 'models', 'package.json']) {
    await cp(path.join(ROOT, part), path.join(folder, part), { recursive: true });
  }
  await mkdir(path.join(folder, 'node_modules'));
  for (const name of await readdir(path.join(ROOT, 'node_modules'))) {
    if (name === RUNTIME) continue;
    await symlink(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name));
  }
  const cache = path.join(folder, 'cache');
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [path.join(folder, 'dist/cli/main.js'), ...args], {
      env: { ...process.env, DKV_CACHE: cache },
    }).catch((error: { code: number; stderr: string }) => error);

  expect(await run('--version')).toMatchObject({ stdout: `${(await json('package.json')).version}\n` });
  // Texts of advertisements are read by whoever wants one: nothing else misses this folder.
  expect(await run('data', 'adworld', '--count', '1')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('It is part of the package: install directed-kvcache again.'),
  });
  await cp(path.join(ROOT, 'data'), path.join(folder, 'data'), { recursive: true });
  const failed = await run('demo');
  expect(failed).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('ONNXRUNTIME_NODE_INSTALL=skip npm install directed-kvcache'),
  });
  expect(failed.stderr).toContain('RUNTIME_MISSING');
  expect(failed.stderr).not.toContain('    at ');
  // Said beforehand: not after a model was downloaded and compiled.
  expect(existsSync(cache)).toBe(false);
});

test('what reads runs is a part by itself, and of the whole', async () => {
  const program = `
    import * as whole from 'directed-kvcache';
    import * as runs from 'directed-kvcache/runs';
    console.log(JSON.stringify([Object.keys(runs), Object.keys(runs).filter((name) => whole[name] !== runs[name])]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { cwd: ROOT });
  const [names, others] = JSON.parse(stdout);
  expect(names).toEqual(expect.arrayContaining(['parseRunFiles', 'parseTrials', 'DkvError']));
  expect(others).toEqual([]);
});
