/** Paths in variables, as Python's `os.path.expanduser` and `os.path.expandvars` read them on POSIX. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Variables } from '../base/environment.js';

/** First `~`, then `$NAME` and `${NAME}`: the order of Python's hub library. */
export function expanded(file: string, variables: Variables): string {
  return expandVariables(expandUser(file, variables), variables);
}

/** Expands `~` and `~name` at the beginning of a path. An unknown name stays as it is. */
export function expandUser(file: string, variables: Variables): string {
  const [tilde, name] = /^~([^/]*)/.exec(file) ?? [];
  if (tilde === undefined) return file;
  const home = name === '' ? (variables.HOME ?? os.homedir()) : homeOf(name!);
  return home === undefined ? file : home.replace(/\/+$/, '') + file.slice(tilde.length) || '/';
}

/** Expands variables. An unknown variable stays as it is, and a variable's content is not expanded again. */
function expandVariables(file: string, variables: Variables): string {
  return file.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, plain, braced) => variables[plain ?? braced] ?? whole);
}

function homeOf(user: string): string | undefined {
  try {
    const line = readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${user}:`));
    return line?.split(':')[5];
  } catch {
    return undefined;
  }
}
