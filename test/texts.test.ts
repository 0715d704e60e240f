/** The commands that README and the pages of docs show are ones: each is parsed as a reader's would be, and the files and scripts that they name are there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '../src/cli/program.js';
import { commandsOf, parsed } from './support/command-lines.js';

const ROOT = path.resolve(import.meta.dirname, '..');

const PAGES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'results/README.md',
  'models/tiny/README.md',
  ...readdirSync(path.join(ROOT, 'docs')).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];

const textOf = (page: string) => readFileSync(path.join(ROOT, page), 'utf8');

/** The lines of a page's shell blocks, fenced or set in by four blanks, with what a backslash continues joined. */
function shellLines(text: string): string[] {
  const fenced = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  const unfenced = text.replace(/^```[\s\S]*?^```$/gm, '').replace(/<!--[\s\S]*?-->/g, '');
  const indented = unfenced.split('\n').flatMap((line) => (/^ {4}\S/.test(line) ? [line.trim()] : []));
  return [...fenced.flatMap((block) => block.replace(/\\\n/g, ' ').split('\n')), ...indented];
}

/** What stands between backticks within lines. */
function inline(text: string): string[] {
  return [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
}

const WHOLE = program();

/** What is wrong with a command line that leaves out what it takes, such as `dkv run --plan`. */
function faultOf(words: readonly string[]): string | undefined {
  let command: Command = WHOLE;
  const options = [...command.options];
  let rest = [...words];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (!next) break;
    command = next;
    options.push(...command.options);
    rest = rest.slice(1);
  }
  // `dkv devices` does what a command below it does.
  options.push(...command.commands.flatMap((below) => below.options));
  if (command.name() === 'dkv' && rest[0] !== undefined && !rest[0].startsWith('-')) return `no command ${rest[0]}`;
  const known = new Set(['--help', ...options.flatMap(({ long, short }) => [long, short])]);
  return rest.find((word) => /^--?[a-z]/.test(word) && !known.has(word.split('=')[0]!));
}

const shown = PAGES.flatMap((page) =>
  shellLines(textOf(page)).flatMap((line) => commandsOf(line).map((words) => [page, words.join(' '), words] as const)),
);

describe('Commands in texts', () => {
  it('are found', () => {
    expect(new Set(shown.map(([page]) => page)).size).toBeGreaterThan(10);
    expect(shown.length).toBeGreaterThan(30);
    expect(faultOf(['run', '--plan'])).toBeUndefined();
    expect(faultOf(['runs'])).toBe('no command runs');
    expect(faultOf(['store', 'copy', '--plan'])).toBe('--plan');
  });

  it.each(shown)('%s: dkv %s', async (_page, _line, words) => {
    const { written, ran } = await parsed(words);
    expect(written).toBe('');
    expect(ran?.split(' ')[1]).toBe(words[0]);
  });

  it.each(PAGES)('between backticks of %s name commands and options', (page) => {
    const faults = inline(textOf(page)).flatMap((code) =>
      commandsOf(code).flatMap((words) => {
        const fault = faultOf(words);
        return fault === undefined ? [] : [`${code}: ${fault}`];
      }),
    );
    expect(faults).toEqual([]);
  });

  it.each(PAGES)('of %s run scripts and files that are there', (page) => {
    const scripts = Object.keys(JSON.parse(textOf('package.json')).scripts as object);
    const lines = [...shellLines(textOf(page)), ...inline(textOf(page))];
    const asked = lines.flatMap((line) => [...line.matchAll(/\bnpm run (?:-s )?([\w:-]+)(?![\w:-])(?! --prefix)/g)]);
    const missing = asked.map(([, name]) => name!).filter((name) => !scripts.includes(name));
    const files = lines.flatMap((line) => [...line.matchAll(/\b(?:npx tsx|python) ((?:bench|tools|examples)\/\S+)/g)]);
    const absent = files.map(([, file]) => file!).filter((file) => !existsSync(path.join(ROOT, file)));
    expect([...missing, ...absent]).toEqual([]);
  });
});
