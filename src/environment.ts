/** Settings from the environment, and from `.env` in the working folder, which the environment overrides. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';

export type Variables = Record<string, string | undefined>;

export function readVariables(environment: Variables, workingDirectory: string): Variables {
  return { ...dotEnv(path.join(workingDirectory, '.env')), ...environment };
}

function dotEnv(file: string): Variables {
  try {
    return parseEnv(readFileSync(file, 'utf8')) as Variables;
  } catch {
    return {};
  }
}
