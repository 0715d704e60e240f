/** The examples, run as a reader runs them: with the package's own name and the built-in model. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
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
  const env = { ...process.env, DKV_CACHE: path.resolve(process.env.DKV_CACHE!) };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: ROOT, env });
  expect(stderr).toBe('');
  for (const line of prints) expect(stdout).toMatch(line);
  if (name === 'one-document.ts') expect(await blocksOf('docs/walkthrough.md')).toBe(stdout);
});

/** The text of a page's code blocks without a language, which is what a program printed. */
async function blocksOf(page: string): Promise<string> {
  const text = await readFile(path.join(ROOT, page), 'utf8');
  const blocks = [...text.matchAll(/^```(?<language>\w*)\n(?<block>[\s\S]*?)^```$/gm)].map(({ groups }) => groups!);
  return blocks.flatMap(({ language, block }) => (language === '' ? [block] : [])).join('');
}
