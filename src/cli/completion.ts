/** `dkv completion`: a script for the shell, generated from the commands themselves. */
import { Command, Option } from 'commander';
import { DkvError } from '../base/errors.js';

const SHELLS = { bash, zsh, fish };

export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('Print a script that completes commands and options in a shell.')
    .argument('<shell>', Object.keys(SHELLS).join(', '))
    .addHelpText(
      'after',
      `
Examples:
  dkv completion bash > ~/.local/share/bash-completion/completions/dkv
  dkv completion zsh > "\${fpath[1]}/_dkv"
  dkv completion fish > ~/.config/fish/completions/dkv.fish`,
    )
    .action((shell: string) => {
      const script = SHELLS[shell as keyof typeof SHELLS];
      if (!script) {
        throw new DkvError(
          'INPUT_INVALID',
          `There is no completion for "${shell}"; there is for: ${Object.keys(SHELLS).join(', ')}.`,
        );
      }
      process.stdout.write(script(tree(program)));
    });
}

/** The words that can follow those typed so far: after `''` for dkv itself, `models`, `models pull`, ... */
type Tree = ReadonlyMap<string, { readonly commands: readonly string[]; readonly options: readonly Option[] }>;

function tree(program: Command): Tree {
  const nodes = new Map<string, { commands: string[]; options: Option[] }>();
  const visit = (command: Command, words: string) => {
    const help = new Option('-h, --help', 'display help');
    nodes.set(words, { commands: command.commands.map((child) => child.name()), options: [...command.options, help] });
    for (const child of command.commands) visit(child, words ? `${words} ${child.name()}` : child.name());
  };
  visit(program, '');
  return nodes;
}

function candidates({ commands, options }: { commands: readonly string[]; options: readonly Option[] }): string {
  return [...commands, ...options.flatMap(({ long }) => long ?? [])].join(' ');
}

function choices(nodes: Tree): [string, readonly string[]][] {
  const found = new Map<string, readonly string[]>();
  for (const { options } of nodes.values()) {
    for (const { long, argChoices } of options) if (long && argChoices) found.set(long, argChoices);
  }
  return [...found];
}

function bash(nodes: Tree): string {
  const cases = [...nodes].map(([words, node]) => `    "${words}") candidates="${candidates(node)}" ;;`);
  const values = choices(nodes).map(([option, list]) => `    ${option}) candidates="${list.join(' ')}" ;;`);
  return `# bash completion for dkv
_dkv() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words="" candidates="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) break ;; esac
    case " ${[...nodes.keys()].flatMap((key) => key.split(' ')).join(' ')} " in *" $word "*) words="\${words:+$words }$word" ;; esac
  done
  case "$words" in
${cases.join('\n')}
  esac
  case "$previous" in
${values.join('\n')}
    --input|--output|--out|--model|--dataset|--store|--rejects|--prior) candidates="" ;;
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
}
complete -o default -F _dkv dkv
`;
}

function zsh(nodes: Tree): string {
  return `#compdef dkv
autoload -U +X bashcompinit && bashcompinit
${bash(nodes)}`;
}

function fish(nodes: Tree): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  const lines: string[] = ['# fish completion for dkv'];
  for (const [words, { commands, options }] of nodes) {
    const after = words.split(' ').filter(Boolean);
    const seen = after.map((word) => `__fish_seen_subcommand_from ${word}`);
    const siblings = commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.join(' ')}`] : [];
    const condition = quote([...seen, ...siblings].join('; and ') || 'true');
    for (const name of commands) lines.push(`complete -c dkv -n ${condition} -f -a ${name}`);
    for (const { long, description, argChoices } of options) {
      if (!long) continue;
      const values = argChoices ? ` -x -a ${quote(argChoices.join(' '))}` : '';
      lines.push(`complete -c dkv -n ${condition} -l ${long.slice(2)} -d ${quote(description)}${values}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
