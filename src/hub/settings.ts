/** Where the Hugging Face hub is, where its cache lies, and who is asking: the environment's conventions, as Python follows them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type DotEnvRules, readVariables, type Variables } from '../base/environment.js';
import { DkvError } from '../base/errors.js';
import { shownAddress } from '../base/redact.js';
import { Secret } from '../base/secret.js';
import { expanded, expandUser } from './paths.js';

export interface HubSettings {
  /** The hub's address, without a slash at its end. */
  readonly endpoint: string;
  /** The folder that holds the `models--org--name` folders. It is shared with Python's huggingface_hub. */
  readonly cacheDirectory: string;
  readonly token: Secret | undefined;
  /** Where the token was found, for messages. */
  readonly tokenSource: string | undefined;
  readonly offline: boolean;
  /** The variable that switches the network off, for messages; undefined where a command asked for it. */
  readonly offlineSource: string | undefined;
}

const DEFAULT_ENDPOINT = 'https://huggingface.co';

const RULES: DotEnvRules = {
  secrets: ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'],
  harmless: ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE', 'HF_HUB_DISABLE_IMPLICIT_TOKEN'],
  refused: ['HF_ENDPOINT', 'HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN_PATH'],
};

/**
 * Reads HF_ENDPOINT, HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE,
 * TRANSFORMERS_OFFLINE and HF_HUB_DISABLE_IMPLICIT_TOKEN from the environment. Precedence and the expansion of `~` and `$NAME` are those of
 * Python's huggingface_hub. If no variable gives a token, it comes from the file that Python's login writes. Tokens and switches that the
 * environment does not set may also stand in `.env` in the working folder; addresses and paths there are ignored.
 * @throws DkvError INPUT_INVALID when the endpoint is not an address, or the token is malformed; the message repeats neither
 */
export function hubSettings(
  environment: NodeJS.ProcessEnv = process.env,
  workingDirectory: string = process.cwd(),
): HubSettings {
  const variables = readVariables(environment, workingDirectory, RULES);
  const pathOf = (...texts: (string | undefined)[]) => expanded(texts.find((text) => text !== undefined)!, variables);
  const caches = variables.XDG_CACHE_HOME ?? path.join(expandUser('~', variables), '.cache');
  const home = pathOf(variables.HF_HOME, path.join(caches, 'huggingface'));
  const cache = pathOf(variables.HF_HUB_CACHE, variables.HUGGINGFACE_HUB_CACHE, path.join(home, 'hub'));
  const tokenFile = pathOf(variables.HF_TOKEN_PATH, path.join(home, 'token'));
  return {
    endpoint: endpointOf(variables),
    cacheDirectory: path.resolve(workingDirectory, cache),
    ...findToken(variables, environment, path.resolve(workingDirectory, tokenFile)),
    ...findOffline(variables, environment),
  };
}

function findOffline(variables: Variables, environment: Variables): Pick<HubSettings, 'offline' | 'offlineSource'> {
  const name = variables.HF_HUB_OFFLINE ? 'HF_HUB_OFFLINE' : 'TRANSFORMERS_OFFLINE';
  if (!isTrue(variables[name])) return { offline: false, offlineSource: undefined };
  return { offline: true, offlineSource: environment[name] === undefined ? `${name} in .env` : name };
}

function endpointOf({ HF_ENDPOINT }: Variables): string {
  const endpoint = (HF_ENDPOINT?.trim() || DEFAULT_ENDPOINT).replace(/\/+$/, '');
  if (URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)) return endpoint;
  throw new DkvError(
    'INPUT_INVALID',
    `HF_ENDPOINT is ${shownAddress(endpoint)}; expected an http or https address, such as ${DEFAULT_ENDPOINT}.`,
  );
}

function findToken(
  variables: Variables,
  environment: Variables,
  file: string,
): Pick<HubSettings, 'token' | 'tokenSource'> {
  if (isTrue(variables.HF_HUB_DISABLE_IMPLICIT_TOKEN)) {
    return { token: undefined, tokenSource: undefined };
  }
  const name = variables.HF_TOKEN ? 'HF_TOKEN' : 'HUGGING_FACE_HUB_TOKEN';
  const given = cleanToken(variables[name] ?? '', name);
  if (given) return { token: given, tokenSource: environment[name] === undefined ? `${name} in .env` : name };
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // No file is no token.
  }
  const token = cleanToken(text, file);
  return { token, tokenSource: token && file };
}

/** Cleans a token as Python does. A text that is no token afterwards, such as another file's content, is not sent. */
function cleanToken(text: string, source: string): Secret | undefined {
  const token = text.replace(/[\r\n]/g, '').trim();
  if (/^[\x21-\x7e]*$/.test(token)) return token === '' ? undefined : new Secret(token);
  throw new DkvError(
    'INPUT_INVALID',
    `${source} holds no token: expected letters, digits and signs without white space.`,
  );
}

function isTrue(value: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes((value ?? '').toUpperCase());
}
