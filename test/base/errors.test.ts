/** The table of errors is what the documentation says it is, in both directions. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { DkvError, ERROR_CODES, type ErrorCode } from '../../src/base/errors.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCS = path.join(ROOT, 'docs');

const text = (file: string) => readFileSync(file, 'utf8');

/** `| code | exit status | HTTP status | meaning |` by code. */
const documented = Object.fromEntries(
  [...text(path.join(DOCS, 'errors.md')).matchAll(/^\| `(\w+)` \| (\d+) \| (\d+) \| (.+) \|$/gm)].map(
    ([, code, exitCode, status, meaning]) => [code, { exitCode: Number(exitCode), status: Number(status), meaning }],
  ),
);

describe('errors', () => {
  it('are documented as they are, every one, in the order of the table', () => {
    expect(documented).toEqual(ERROR_CODES);
    expect(Object.keys(documented)).toEqual(Object.keys(ERROR_CODES));
  });

  it('have an exit status and an HTTP status that is one', () => {
    for (const [code, { exitCode, status }] of Object.entries(ERROR_CODES)) {
      expect([1, 2, 130], code).toContain(exitCode);
      expect(status >= 400 && status < 600, code).toBe(true);
      const error = new DkvError(code as ErrorCode, 'what was found');
      expect([error.exitCode, error.status]).toEqual([exitCode, status]);
    }
  });

  it('are each provoked by a test', () => {
    const folder = path.join(ROOT, 'test');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    // What a test makes itself, or only speaks of, is not provoked.
    const texts = files.map((name) =>
      text(path.join(folder, name)).replace(/new DkvError\(\s*'\w+'|\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, ''),
    );
    const missing = Object.keys(ERROR_CODES).filter((code) => !texts.some((one) => one.includes(code)));
    expect(missing).toEqual([]);
  });

  it('are all thrown somewhere', () => {
    const source = path.join(ROOT, 'src');
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    const texts = files.filter((name) => name !== 'base/errors.ts').map((name) => text(path.join(source, name)));
    const unused = Object.keys(ERROR_CODES).filter((code) => !texts.some((one) => one.includes(`'${code}'`)));
    expect(unused).toEqual([]);
  });

  it('that the documentation shows are there', () => {
    const files = readdirSync(DOCS).filter((name) => name.endsWith('.md'));
    const shown = [path.join(ROOT, 'README.md'), ...files.map((name) => path.join(DOCS, name))].flatMap((file) =>
      [...text(file).matchAll(/\berror ([A-Z]+(?:_[A-Z]+)+)\b/g)].map(([, code]) => code!),
    );
    expect(shown.length).toBeGreaterThan(8);
    expect(shown.filter((code) => !(code in ERROR_CODES))).toEqual([]);
  });
});
