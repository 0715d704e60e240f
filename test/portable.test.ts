/** Run records, statistics and the wire format belong to any program: they need nothing of Node, and run in a browser as they do here. */
import { readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readRun } from '../src/runs/run-folder.js';
import { measure } from '../src/stats/ranking.js';
import { holm, tTest, wilcoxon } from '../src/stats/significance.js';
import { bundleOf } from './support/bundle.js';
import { temporaryFolder } from './support/fixtures.js';

const SOURCE = path.resolve(import.meta.dirname, '../src');
const RUNS = path.resolve(import.meta.dirname, 'fixtures/runs/release-0.1.0');

const FILES = ['stats', 'wire', 'runs/schema'].flatMap((room) =>
  readdirSync(path.join(SOURCE, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${room}/${file}`),
);

const bundle = bundleOf(SOURCE, FILES);

/** What a program comes to where the language and the two converters of text are all there is. */
async function withoutNode(program: string, given: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const context = vm.createContext({ TextEncoder, TextDecoder, given: JSON.stringify(given) });
  vm.runInContext((await bundle).script, context);
  const text: unknown = vm.runInContext(`JSON.stringify((({ ...given }) => ${program})(JSON.parse(given)))`, context);
  return JSON.parse(String(text));
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('run schema, statistics and wire', () => {
  it('import nothing of Node and name nothing of it', async () => {
    expect((await bundle).ofNode).toEqual([]);
    // Through everything that they import, packages included.
    expect((await bundle).modules.filter((id) => id.includes('/node_modules/zod/')).length).toBeGreaterThan(0);
  });

  it.each(['contrasts', 'pools', 'probe'])('read the run %s', async (folder) => {
    const names = ['run.json', 'summary.json', 'samples.jsonl', 'trials.jsonl'];
    const texts = await Promise.all(names.map((name) => readFile(path.join(RUNS, folder, name), 'utf8')));
    const files = Object.fromEntries(names.map((name, at) => [name, texts[at]]));
    const run = await withoutNode(`bundle['runs/schema/run.ts'].parseRunFiles(given)`, files);
    expect(run).toEqual(plain(await readRun(path.join(RUNS, folder))));
    const damaged = { ...files, 'trials.jsonl': files['trials.jsonl']!.replace(/"sample":"/, '"sample":"x') };
    const read = `{ try { bundle['runs/schema/run.ts'].parseRunFiles(given); } catch ({ code, status }) { return { code, status }; } }`;
    expect(await withoutNode(read, damaged)).toEqual({ code: 'RUN_DAMAGED', status: 500 });
  });

  it('compute the same statistics', async () => {
    const differences = [0.5, -0.25, 1.5, 0.75, 2, -0.5, 1.25, 0.25, 3, 1, 0.125, 1.75];
    const tests = `{
      const { holm, tTest, wilcoxon } = bundle['stats/significance.ts'];
      const ps = [tTest(given.differences), wilcoxon(given.differences)];
      return [...ps, ...holm(ps)];
    }`;
    const ps = [tTest(differences)!, wilcoxon(differences)];
    expect(await withoutNode(tests, { differences })).toEqual([...ps, ...holm(ps)]);
    const [scores, grades] = [
      [
        ['\u{1f600}', 1],
        ['\uff5e', 1],
        ['c', 2],
      ],
      [['\uff5e', 1]],
    ] as [[string, number][], [string, number][]];
    const ranking = `bundle['stats/ranking.ts'].measure('RR').of(new Map(given.scores), new Map(given.grades))`;
    expect(await withoutNode(ranking, { scores, grades })).toBe(measure('RR').of(new Map(scores), new Map(grades)));
  });

  it('read a line of the wire and write one', async () => {
    const program = `{
      const { scoreLineSchema, scoreAnswerSchema } = bundle['wire/score.ts'];
      const line = scoreLineSchema.parse(given.line);
      const answer = { id: line.id, nll: 1.5, nllSum: 3, numTokens: 2, tokenNlls: Float32Array.of(1.1, 1.9), prefixTokens: 0, documentTokens: 7, cut: false };
      return [line, JSON.parse(bundle['wire/text.ts'].jsonText(scoreAnswerSchema, answer))];
    }`;
    const line = { id: 'a', document: 'Running shoes', target: 'shoes' };
    const answer = {
      id: 'a',
      nll: 1.5,
      nll_sum: 3,
      num_tokens: 2,
      token_nlls: [1.10000002, 1.89999998],
      prefix_tokens: 0,
    };
    expect(await withoutNode(program, { line })).toEqual([line, { ...answer, document_tokens: 7, cut: false }]);
  });
});

describe('the check', () => {
  it('names the way to what is Node’s, at run time alone', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'inner'));
    const files = {
      'a.ts': `import { b } from './inner/b.js';\nexport const a = { process: b }.process;`,
      'inner/b.ts': `import os from 'node:os';\nimport { c } from './c.js';\nexport const b = [os.EOL, c];`,
      'inner/c.ts': `export const c = (bytes: Buffer) => bytes.toString() as string | NonNullable<Buffer>;`,
      'd.ts': `import type { Stats } from 'node:fs';\nexport const d = (of: Stats) => Buffer.from(String(of.size));`,
      'e.ts': `export const e = async () => (await import('fs')).existsSync('process');`,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text);
    const { ofNode } = await bundleOf(folder, ['a.ts', 'd.ts', 'e.ts']);
    expect(ofNode.toSorted()).toEqual(['a.ts > inner/b.ts > node:os', 'd.ts > Buffer', 'e.ts > fs']);
  });
});
