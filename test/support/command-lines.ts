/** Command lines parsed as the user's would be: each stops before anything is done. */
import type { Command } from 'commander';
import { program } from '../../src/cli/program.js';

export interface FoundCommand {
  readonly name: string;
  readonly command: Command;
}

export function allCommands(command: Command, above = ''): FoundCommand[] {
  const name = `${above}${command.name()}`;
  return [{ name, command }, ...command.commands.flatMap((part) => allCommands(part, `${name} `))];
}

/** Parses a command line. Returns what is written meanwhile, and the name of the command that would run. */
export async function parsed(args: readonly string[]): Promise<{ written: string; ran: string | undefined }> {
  const whole = program();
  let written = '';
  let ran: string | undefined;
  const write = (text: string) => {
    written += text;
  };
  for (const { name, command } of allCommands(whole)) {
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

/** The words behind each `dkv` of a shell's line, without quotes, redirections and what a pipe leads to elsewhere. */
export function commandsOf(line: string): string[][] {
  return line
    .split(/ (?:\||&&) /)
    .map((part) =>
      part
        .replace(/ +#.*$/, '')
        .split(/ [<>] /)[0]!
        .trim(),
    )
    .map((part) => part.replace(/^(\$ |[A-Z_]+=\S* )+/, ''))
    .filter((part) => /^(npx )?dkv( |$)/.test(part))
    .map((part) => [...part.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, '')))
    .map((words) => words.slice(words.indexOf('dkv') + 1));
}
