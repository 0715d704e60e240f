/** The examples and the programs and commands of the pages that begin, run as a reader runs them: with the package's own name and the built-in model. */
import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { commandsOf } from './support/command-lines.js';
import { dkv } from './support/dkv.js';
import { temporaryFolder } from './support/fixtures.js';

const ROOT = path.resolve(import.meta.dirname, '..');

/** What each must print, and what it takes. */
const EXAMPLES: Record<string, { args?: () => Promise<string[]>; prints: RegExp[] }> = {
  'score.ts': { prints: [/^(\d+\.\d{3} nats per token\n){2}$/] },
  'one-document.ts': { prints: [/^1\. surrogate: /, /^7\. from the store, doc_kw: \d/m] },
  'prime.ts': { prints: [/^1 document primed, \d+ bytes$/m, /^bare \d+\.\d+$/m, /^doc_kw \d+\.\d+$/m] },
  'cache.ts': { prints: [/^What does the lamp cost\? -> \S.*\nWhat color is the lamp\? -> \S.*\n$/] },
  'rank.ts': {
    args: async () => [path.join(await temporaryFolder(), 'store')],
    prints: [/^(adworld-pool-test-0000\d adworld-pool-test-0000\d-\d -\d+\.\d+\n){3}$/],
  },
  'serve.ts': {
    args: async () => [path.join(await temporaryFolder(), 'store')],
    prints: [
      /^(.+ -> adworld-pool-test-0000\d-\d, nll of adworld-pool-test-0000\d-\d \d+\.\d+\n){2}/,
      /^8 documents primed beside them$/m,
      /^0 items wait, 0 batches run$/m,
    ],
  },
  'experiment.ts': {
    args: async () => [path.join(await temporaryFolder(), 'run')],
    prints: [/^oracle_full -?\d+\.\d{3} nats$/m, /^surr_doc_d /m, /report\.html/],
  },
};

it('has a test for every example', async () => {
  const files = (await readdir(path.join(ROOT, 'examples'))).filter((name) => name.endsWith('.ts'));
  expect(files.sort()).toEqual(Object.keys(EXAMPLES).sort());
});

it.each(Object.entries(EXAMPLES))('examples/%s', async (name, { args, prints }) => {
  const command = ['--import', 'tsx', `examples/${name}`, ...((await args?.()) ?? [])];
  const stdout = await outputOf(command);
  for (const line of prints) expect(stdout).toMatch(line);
  if (name === 'one-document.ts') expect((await blocksOf('docs/walkthrough.md', '')).join('')).toBe(stdout);
});

it.each([
  ['README.md', /^\{\n {2}nll: 0\.\d+,\n/],
  ['docs/installing.md', /^\{\n {2}nll: \d\.\d+,\n/],
])('the first program of %s', async (page, prints) => {
  const [program = ''] = await blocksOf(page, 'ts');
  const store = JSON.stringify(path.join(await temporaryFolder(), 'store'));
  const command = ['--import', 'tsx', '--input-type=module', '--eval', program.replace("'store'", store)];
  expect(await outputOf(command)).toMatch(prints);
});

it('docs/your-own-data.md shows what its files hold and its commands print', async () => {
  const page = 'docs/your-own-data.md';
  const cwd = await temporaryFolder();
  await cp(path.join(ROOT, 'examples/own-data'), cwd, { recursive: true });
  const [commands = ''] = await blocksOf(page, 'sh');
  let printed = '';
  for (const words of commands.split('\n').flatMap(commandsOf)) {
    const { exitCode, stdout, stderr } = await dkv(words, { cwd });
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    printed += stdout + stderr;
  }
  for (const name of ['products.csv', 'queries.jsonl', 'qrels.tsv', 'run.txt']) {
    printed += await readFile(path.join(cwd, name), 'utf8');
  }
  // Processors differ in the last digits of a score.
  const lines = (text: string) => text.replace(/(\.\d{3})\d+/g, '$1').split('\n');
  const shown = (await blocksOf(page, '')).flatMap(lines);
  expect(shown.length).toBeGreaterThan(25);
  expect(shown.filter((line) => !lines(printed).includes(line))).toEqual([]);
});

/** What a program prints, which has nothing to say on standard error. */
async function outputOf(command: readonly string[]): Promise<string> {
  const env = { ...process.env, DKV_CACHE: path.resolve(process.env.DKV_CACHE!) };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
  expect(stderr).toBe('');
  return stdout;
}

/** A page's code blocks of a language; those without one are what a program printed. */
async function blocksOf(page: string, language: string): Promise<string[]> {
  const text = await readFile(path.join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(?<language>\w*)\n(?<block>[\s\S]*?)^```$/gm)].map(({ groups }) => groups!);
  return blocks.flatMap((found) => (found.language === language ? [found.block!] : []));
}
