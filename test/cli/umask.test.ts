/** What commands write is for its owner alone, whatever the shell's own setting, unless `--umask` says otherwise. */
import { lstat, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { adworldLines } from '../../src/adworld/lines.js';
import { dkv, dkvAlone } from '../support/dkv.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { HubStandIn } from '../support/hub.js';

const LINES = [...adworldLines({ split: 'test', count: 3 })].map((line) => `${line}\n`).join('');

/** Every file and folder below, with its rights in octal. */
async function rightsIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    const state = await lstat(path.join(folder, name));
    if (!state.isSymbolicLink()) found[name] = (state.mode & 0o777).toString(8).padStart(3, '0');
  }
  return found;
}

/** What each command that writes leaves, at least. Each goes on from the one before. */
const COMMANDS: readonly (readonly [args: string, leaves: readonly string[]])[] = [
  ['data adworld --count 3 --output ads.jsonl', ['ads.jsonl']],
  ['data adworld --count 3 --beir beir', ['beir/corpus.jsonl', 'beir/queries.jsonl', 'beir/qrels/test.tsv']],
  ['score --input lines.jsonl --output scores.jsonl', ['scores.jsonl']],
  ['prime --input bad.jsonl --store ads', ['ads/data.mdb', 'ads/lock.mdb', 'bad.jsonl.rejects.jsonl']],
  ['store export ads ads.dkv', ['ads.dkv']],
  ['store import back ads.dkv', ['back/data.mdb']],
  ['store copy ads copy', ['copy/data.mdb']],
  ['store gc ads', []],
  ['store verify ads --remove', []],
  [
    'rank --store ads --queries queries.jsonl --candidates all --output run.txt --details details.jsonl',
    ['run.txt', 'details.jsonl'],
  ],
  [
    'run exp01 --n 4 --ignore-ceiling --out results/exp01',
    [
      'results/exp01/run.json',
      'results/exp01/trials.jsonl',
      'results/exp01/samples.jsonl',
      'results/exp01/report.html',
    ],
  ],
  ['report results/exp01 --format md', ['results/exp01/report.md']],
  ['compare results/exp01 results/exp01 --output compare.md', ['compare.md']],
  ['log results/exp01 --output log.md', ['log.md']],
];

async function inputs(cwd: string): Promise<void> {
  await writeFile(path.join(cwd, 'lines.jsonl'), '{"document":"A lamp for 24 euros.","target":"24 euros"}\n');
  await writeFile(path.join(cwd, 'bad.jsonl'), `${LINES}oops\n`);
  await writeFile(path.join(cwd, 'queries.jsonl'), '{"id":"q1","text":"garden chair"}\n');
}

async function rightsAfter(
  args: string,
  leaves: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
  run = dkv,
) {
  const before = new Set(Object.keys(await rightsIn(cwd)));
  const { exitCode, stderr } = await run(args.split(' '), { cwd, env });
  // Rows that cannot be primed are told.
  expect(`${args}: ${args.startsWith('prime') ? 2 : 0}: ${stderr}`).toBe(`${args}: ${exitCode}: ${stderr}`);
  const after = await rightsIn(cwd);
  for (const name of leaves) expect(Object.keys(after)).toContain(name);
  return Object.entries(after).filter(([name]) => !before.has(name) || leaves.includes(name));
}

describe('files and folders that a command makes', () => {
  it.skipIf(process.platform === 'win32')('are for their owner alone, on every command that writes', async () => {
    const cwd = await temporaryFolder();
    await inputs(cwd);
    for (const [args, leaves] of COMMANDS) {
      // The rights are a process's own: one command that stores and computes shows that it begins with them.
      const run = args.startsWith('prime') ? dkvAlone : dkv;
      for (const [name, rights] of await rightsAfter(args, leaves, cwd, {}, run)) {
        expect(`${args}: ${name} ${rights}`).toMatch(/(?:600|700)$/);
      }
    }
  });

  it.skipIf(process.platform === 'win32')('have the rights that --umask leaves', async () => {
    const cwd = await temporaryFolder();
    await inputs(cwd);
    for (const [args, leaves] of COMMANDS.filter(([command]) => /^(?:data|prime|store export|run)/.test(command))) {
      for (const [name, rights] of await rightsAfter(`${args} --umask 027`, leaves, cwd)) {
        expect(`${args}: ${name} ${rights}`).toMatch(/(?:640|750)$/);
      }
    }
  });

  it.skipIf(process.platform === 'win32')('compiled models and downloads among them', async () => {
    const hub = await HubStandIn.start();
    try {
      await hub.publish('google/t5gemma-2-test', referenceFixture('text'));
      for (const [more, wanted] of [
        ['', /(?:600|700)$/],
        [' --umask 022', /(?:644|755)$/],
      ] as const) {
        const cwd = await temporaryFolder();
        const env = { HF_HOME: path.join(cwd, 'hub'), HF_ENDPOINT: hub.url, DKV_CACHE: path.join(cwd, 'cache') };
        const made = [
          ...(await rightsAfter(`models pull google/t5gemma-2-test${more}`, [], cwd, env)),
          ...(await rightsAfter(`models compile google/t5gemma-2-test${more}`, [], cwd, env)),
        ];
        const names = made.map(([name]) => name).join(' ');
        expect(names).toMatch(/\/blobs\/.*weights/s);
        for (const [name, rights] of made) expect(`${name} ${rights}`).toMatch(wanted);
      }
    } finally {
      await hub.stop();
    }
  });

  it.each(['8', '0x22', '', '100', '7777', '22 '])('are not made with %j as --umask', async (mode) => {
    const cwd = await temporaryFolder();
    const { exitCode, stderr } = await dkv(['data', 'adworld', '--output', 'a.jsonl', '--umask', mode], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/--umask/);
    expect(await readdir(cwd)).toEqual([]);
  });
});
