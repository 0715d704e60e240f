/** The examples of README's section on serving, with a server's own address in place of the one that is written there. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';

const WRITTEN = 'http://127.0.0.1:8080';

/** @param language behind the fence: `sh`, `js`, `python` */
export async function servingBlocks(language: string, url: string): Promise<string[]> {
  const readme = await readFile(path.resolve(import.meta.dirname, '../../README.md'), 'utf8');
  const [, section = ''] = /^## Serving over HTTP\n([\s\S]*?)^## /m.exec(readme) ?? [];
  return [...section.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter(([, own]) => own === language)
    .map(([, , block]) => block!.replaceAll(WRITTEN, url));
}
