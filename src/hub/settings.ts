/** Where the Hugging Face hub is, where its cache lies, and who is asking: the environment's conventions, as Python follows them. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { readVariables, type Variables } from '../environment.js';

/** An access token. It shows itself only to who asks for it by name: not in logs, errors, JSON or string templates. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[hidden]';
  }

  toJSON(): string {
    return '[hidden]';
  }

  [inspect.custom](): string {
    return '[hidden]';
  }
}

export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** The folder of `models--org--name` folders, shared with Python. */
  readonly cacheDirectory: string;
  readonly token: Secret | undefined;
  /** Where the token came from, for messages. */
  readonly tokenSource: string | undefined;
  readonly offline: boolean;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

/**
 * Reads HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN, HF_TOKEN_PATH and HF_HUB_OFFLINE from the environment and, where it does not
 * set them, from `.env` in the working folder; the token at last from the file that Python's login writes.
 */
export function hubSettings(
  environment: NodeJS.ProcessEnv = process.env,
  workingDirectory: string = process.cwd(),
): HubSettings {
  const variables = readVariables(environment, workingDirectory);
  const home =
    variables.HF_HOME ?? path.join(variables.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'huggingface');
  const { token, source } = findToken(variables, home);
  return {
    endpoint: (variables.HF_ENDPOINT || DEFAULT_ENDPOINT).replace(/\/+$/, ''),
    cacheDirectory: path.resolve(expandHome(variables.HF_HUB_CACHE || path.join(home, 'hub'))),
    token,
    tokenSource: source,
    offline: ['1', 'true', 'yes', 'on'].includes((variables.HF_HUB_OFFLINE ?? '').toLowerCase()),
  };
}

function findToken(variables: Variables, home: string): { token: Secret | undefined; source: string | undefined } {
  const given = variables.HF_TOKEN?.trim();
  if (given) return { token: new Secret(given), source: 'HF_TOKEN' };
  const file = expandHome(variables.HF_TOKEN_PATH || path.join(home, 'token'));
  try {
    const text = readFileSync(file, 'utf8').trim();
    if (text) return { token: new Secret(text), source: file };
  } catch {
    // No file is no token.
  }
  return { token: undefined, source: undefined };
}

function expandHome(file: string): string {
  return file.startsWith('~') ? path.join(os.homedir(), file.slice(1)) : file;
}
