/** Documents whose measured parts benchmarks write themselves. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Puts a text between `<!-- name -->` and the next `<!-- end -->` of a file in docs. */
export async function replaceSection(file: string, name: string, text: string): Promise<void> {
  const document = path.resolve(import.meta.dirname, '../docs', file);
  const before = await readFile(document, 'utf8');
  const [open, close] = [`<!-- ${name} -->`, '<!-- end -->'];
  const from = before.indexOf(open);
  const to = before.indexOf(close, from);
  if (from < 0 || to < 0) throw new Error(`${document} has no part between ${open} and ${close}`);
  await writeFile(document, `${before.slice(0, from + open.length)}\n\n${text}\n\n${before.slice(to)}`);
}

/** Lines of a Markdown table, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)];
}
