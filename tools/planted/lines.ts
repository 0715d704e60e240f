/** Files of a line for each result, so that what was interrupted goes on. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

/** What stands in a file, a line each; a line that was cut off is made again. */
export function linesOf<T>(file: string): T[] {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole.length < text.length) writeFileSync(file, whole);
  return whole.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as T]));
}

export function addLines(file: string, lines: readonly unknown[]): void {
  appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}
