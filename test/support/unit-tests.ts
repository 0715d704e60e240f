/**
 * The tests that `npm run test:unit` runs: those that need no model, no build and no network. They are found by what they import, directly or by way of others, so
 * that a new test is among them, or is not, without anybody listing it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** What is imported at run time. Types are not, and `import(...)` is, since the test may come to it. */
const IMPORTED = /(?:^|\n)(?:import|export)\s+(?!type\s)(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\(\s*'([^']+)'/g;

/** Models are computed by the runtime that this file of `src` loads. */
const RUNTIME = 'src/engine/onnxruntime.ts';
/** In files of tests: programs and servers that they start, and what the build makes. */
const OF_OTHERS = /'node:(?:child_process|worker_threads|http|https|net|tls)'|\bdist\b/;

/**
 * The test files below a folder that need nothing but the source.
 * @param root the folder that holds `src` and `test`
 * @returns their paths from the root, in the order of their names
 */
export function unitTests(root: string): string[] {
  const read = new Map<string, { needsMore: boolean; imports: readonly string[] }>();
  const about = (file: string) => {
    const text = readFileSync(file, 'utf8');
    const ofTests = file.startsWith(path.join(root, 'test') + path.sep);
    const needsMore = file === path.join(root, RUNTIME) || (ofTests && OF_OTHERS.test(text));
    return { needsMore, imports: importsOf(file, text) };
  };
  const isUnitTest = (test: string) => {
    const reached = new Set([path.join(root, test)]);
    for (const file of reached) {
      const { needsMore, imports } = read.get(file) ?? about(file);
      read.set(file, { needsMore, imports });
      if (needsMore) return false;
      for (const one of imports) reached.add(one);
    }
    return true;
  };
  return readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => path.join('test', name))
    .sort()
    .filter(isUnitTest);
}

function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(IMPORTED)]
    .map(([, named, onDemand]) => named ?? onDemand!)
    .filter((to) => to.startsWith('.') && !to.endsWith('.json'))
    .map((to) => path.resolve(path.dirname(file), to).replace(/\.js$/, '.ts'));
}
