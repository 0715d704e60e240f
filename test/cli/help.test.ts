/** The help of every command, and that its examples are command lines: each is parsed as the user's would be, and stops before anything is done. */
import { describe, expect, it } from 'vitest';
import { program } from '../../src/cli/program.js';
import { allCommands, commandsOf, parsed } from '../support/command-lines.js';

const HELPS = await Promise.all(
  allCommands(program()).map(async ({ name, command }) => {
    const { written } = await parsed([...name.split(' ').slice(1), '--help']);
    return { name, isLeaf: command.commands.length === 0, help: written };
  }),
);

/** The command lines of a help's examples, as words behind `dkv`. */
function examplesIn(help: string): string[][] {
  const lines = (help.split('\nExamples:\n')[1] ?? '').split('\n').filter((line) => line.startsWith('  '));
  // What stands behind a line, two blanks away, is a description.
  return lines.flatMap((line) => commandsOf(line.trim().split(/\s{2,}/)[0]!));
}

const EXAMPLES = HELPS.flatMap(({ help }) => examplesIn(help)).map((words) => [words.join(' '), words] as const);

describe('--help', () => {
  it.each(HELPS.map((each) => [each.name, each] as const))('of "%s" says how it is used', (name, { isLeaf, help }) => {
    expect(help).toMatch(new RegExp(`^Usage: ${name} `));
    if (isLeaf) expect(examplesIn(help).length, `${name} has no examples`).toBeGreaterThan(0);
  });

  it.each(EXAMPLES)('gives an example that is a command line: dkv %s', async (_, words) => {
    const { written, ran } = await parsed(words);
    expect(written).toBe('');
    // A command may do what one below it does.
    expect(ran?.split(' ')[1]).toBe(words[0]);
  });
});
