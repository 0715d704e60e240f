/** The records that a text's comments name: summaries of committed runs, the authors' figures, other data files, and tables that programs write into texts. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { ClaimError, type Records, type Value } from './language.js';

/** Records with a short name. All others are the summary in `results/built-in/NAME` or `results/NAME`, compressed or not, or a file. */
const SHORT: Record<string, { file: string; field?: string }> = {
  log: { file: 'data/authors-log.yaml', field: 'experiments' },
  authors: { file: 'data/authors-reanalysis.json' },
  training: { file: 'models/tiny/training/recipe.json' },
  gate: { file: 'models/tiny/training/gate.json' },
};

/** What a cell says: the number that it begins with, behind a verdict (`pass: `) or not, and its interval, or its words. */
function cellValue(cell: string): Value {
  const number = String.raw`([+−-]?\d[\d,]*(?:\.\d+)?|[+−-]?\.\d+)`;
  const [, value, low, high] =
    new RegExp(`^(?:\\w+: )?${number}%?(?: nats)?(?: \\[${number}, ${number}\\])?`, 'u').exec(cell) ?? [];
  const read = (text: string) => Number(text.replaceAll(',', '').replace('−', '-'));
  if (value === undefined) return cell;
  return low === undefined || high === undefined
    ? read(value)
    : { value: read(value), low: read(low), high: read(high) };
}

/**
 * The rows of the tables of a text that stand between `<!-- NAME -->` and `<!-- end -->`. A row has its first cell as `name`, and all cells by their column: `mean`,
 * `d_nominal`; a column without a title is `value`.
 */
function tablesOf(markdown: string): Value {
  const sections: Record<string, Record<string, Value>[]> = {};
  for (const [, name, section] of markdown.matchAll(/^<!-- (?!end )([\w ]+) -->\n([\s\S]*?)\n<!-- end -->/gmu)) {
    const rows: Record<string, Value>[] = [];
    let columns: string[] | undefined;
    for (const line of section!.split('\n')) {
      const cells = line.startsWith('|') ? line.split('|').slice(1, -1) : undefined;
      const plain = cells?.map((cell) => cell.replace(/[`*]/gu, '').trim());
      if (!plain) columns = undefined;
      else if (!columns) columns = plain.map((title) => title.replace(/\W+/gu, '_') || 'value');
      else if (!plain.every((cell) => /^:?-+:?$/u.test(cell))) {
        const [first] = plain;
        rows.push({ ...Object.fromEntries(plain.map((cell, i) => [columns![i]!, cellValue(cell)])), name: first! });
      }
    }
    sections[name!] = rows;
  }
  return sections;
}

/** What a file holds; one of JSON lines holds a list. */
function readAs(extension: string, text: string): Value {
  if (extension === '.md') return tablesOf(text);
  if (extension === '.yaml') return parse(text);
  if (extension === '.jsonl')
    return text
      .trimEnd()
      .split('\n')
      .map((line): Value => JSON.parse(line));
  return JSON.parse(text);
}

/** @param root folder of the repository */
export function recordsIn(root: string): Records {
  const read = new Map<string, Value>();
  const load = (name: string): Value => {
    const { file, field }: { file: string; field?: string } = SHORT[name] ?? { file: name };
    const summaries = [`results/built-in/${name}/summary.json`, `results/${name}/summary.json`];
    const candidates = [...summaries.flatMap((one) => [one, `${one}.gz`]), file];
    const found = candidates.find((candidate) => /\.\w+$/u.test(candidate) && existsSync(path.join(root, candidate)));
    if (found === undefined)
      throw new ClaimError(`no record is called "${name}": none of ${candidates.join(', ')} exists`);
    const bytes = readFileSync(path.join(root, found));
    const plain = path.basename(found, '.gz');
    const whole = readAs(
      path.extname(plain),
      (plain.length < path.basename(found).length ? gunzipSync(bytes) : bytes).toString(),
    );
    return field === undefined ? whole : (whole as Record<string, Value>)[field]!;
  };
  return (name) => {
    const known = read.get(name) ?? load(name);
    read.set(name, known);
    return known;
  };
}
