/**
 * Settings from the environment and, with caution, from `.env` in the working folder: whoever wrote the folder may not be who runs the
 * program in it. From there come secrets, which go to endpoints named elsewhere only, and settings that are neither secret nor address.
 * An address or a path there is ignored, since it would receive, or read, a secret of the user's.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

export type Variables = Record<string, string | undefined>;

/** The variables that may stand in `.env`, by what they could do there. */
export interface DotEnvRules {
  readonly secrets: readonly string[];
  readonly harmless: readonly string[];
  /** The variables that are addresses or paths, which `.env` may not set. */
  readonly refused: readonly string[];
}

/** The name of the warnings that say what was taken from `.env` and what was not; without the name they are notices for people. */
export const NOTICE = 'DkvNotice';

const MOST_BYTES = 1_000_000;
const said = new Set<string>();

/** The variables, those of the environment first. Which secret `.env` gives, and what in it is ignored, is told once, as a warning of the process. */
export function readVariables(
  environment: Variables,
  workingDirectory: string,
  { secrets, harmless, refused }: DotEnvRules,
): Variables {
  const file = path.join(workingDirectory, '.env');
  const found = dotEnv(file);
  const given = (name: string) => found[name] !== undefined && environment[name] === undefined;
  for (const name of secrets.filter(given)) notice(`${name} is taken from ${file}.`);
  for (const name of refused.filter(given)) {
    notice(
      `${name} in ${file} is ignored: addresses and paths are taken from the environment only (export ${name}=...).`,
    );
  }
  const taken = [...secrets, ...harmless].filter(given).map((name) => [name, found[name]]);
  return { ...Object.fromEntries(taken), ...environment };
}

function notice(text: string): void {
  if (said.has(text)) return;
  said.add(text);
  process.emitWarning(text, NOTICE);
}

function dotEnv(file: string): Variables {
  try {
    const about = statSync(file);
    return about.isFile() && about.size <= MOST_BYTES ? (parseEnv(readFileSync(file, 'utf8')) as Variables) : {};
  } catch {
    return {};
  }
}
