/** The help of every command, and that its examples are command lines: each is parsed as the user's would be, and stops before anything is done. */
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { program } from '../../src/cli/program.js';

interface Found {
  readonly name: string;
  readonly command: Command;
}

function all(command: Command, above = ''): Found[] {
  const name = `${above}${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((part) => all(part, `${name} `))];
}

/** Parses a command line. Returns what is written meanwhile, and the name of the command that would run. */
async function parsed(args: readonly string[]): Promise<{ written: string; ran: string | undefined }> {
  const whole = program();
  let written = '';
  let ran: string | undefined;
  const write = (text: string) => {
    written += text;
  };
  for (const { name, command } of all(whole)) {
    command.configureOutput({ writeOut: write, writeErr: write });
    if (command.commands.length === 0) {
      command.action(() => {
        ran = name;
      });
    }
  }
  await whole.parseAsync(args, { from: 'user' }).catch((error: { readonly code?: string }) => {
    if (error.code !== 'commander.helpDisplayed') written += String(error);
  });
  return { written, ran };
}

const HELPS = await Promise.all(
  all(program()).map(async ({ name, command }) => {
    const { written } = await parsed([...name.split(' ').slice(1), '--help']);
    return { name, isLeaf: command.commands.length === 0, help: written };
  }),
);

/** The command lines of a help's examples, as words behind `dkv`. */
function examplesIn(help: string): string[][] {
  const lines = (help.split('\nExamples:\n')[1] ?? '').split('\n').filter((line) => line.startsWith('  '));
  return lines.flatMap((line) => {
    // What stands behind it is a description or a comment.
    const [said = ''] = line.trim().split(/\s{2,}/);
    return said
      .split(' | ')
      .map((part) => part.split(/ [<>] /)[0]!)
      .filter((part) => /^(npx )?dkv /.test(part))
      .map((part) => [...part.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, '')))
      .map((words) => words.slice(words.indexOf('dkv') + 1));
  });
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
