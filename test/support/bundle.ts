/**
 * Sources put together as a browser's bundler does it: what they import at run time, by which way, and one script of all. Packages are resolved as for a
 * browser (their `browser` fields count); imports of types alone are none.
 */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { rolldown } from 'rolldown';
import { parseAst } from 'rolldown/parseAst';

/** What Node has and a browser has not. */
const NODE_GLOBALS = new Set(
  'Buffer process global require module exports setImmediate clearImmediate __dirname __filename'.split(' '),
);

export interface Bundle {
  /** The ways from a source to a module or a name that is Node's own: `a.ts > b.ts > node:fs`. */
  readonly ofNode: readonly string[];
  /** A script that leaves an object in the variable `bundle`: by file, named as it was given, what the file exports. */
  readonly script: string;
  readonly modules: readonly string[];
}

/** @param files of TypeScript, below `root` */
export async function bundleOf(root: string, files: readonly string[]): Promise<Bundle> {
  const entry = '\0all';
  const importers = new Map<string, string[]>();
  const ofNode: string[] = [];
  const build = await rolldown({
    input: entry,
    cwd: root,
    platform: 'browser',
    logLevel: 'silent',
    plugins: [
      {
        name: 'all files, and what they import',
        resolveId: (source) => {
          if (source === entry) return entry;
          return isBuiltin(source) ? { id: source, external: true } : undefined;
        },
        load: (id) =>
          id === entry
            ? files
                .map((file) => `export * as ${JSON.stringify(file)} from ${JSON.stringify(path.join(root, file))};`)
                .join('\n')
            : undefined,
        buildEnd() {
          for (const id of this.getModuleIds()) {
            const info = this.getModuleInfo(id)!;
            for (const to of [...info.importedIds, ...info.dynamicallyImportedIds]) {
              importers.set(to, [...(importers.get(to) ?? []), id]);
            }
          }
        },
      },
    ],
  });
  const { output } = await build.generate({ format: 'iife', name: 'bundle' });
  await build.close();
  const modules = [...new Set([...importers.keys(), ...[...importers.values()].flat()])].filter((id) => id !== entry);

  /** The shortest way from one of the files. */
  const wayTo = (id: string): string => {
    const ways = [[id]];
    for (const way of ways) {
      const from = importers.get(way[0]!) ?? [];
      if (from.includes(entry))
        return way.map((one) => (path.isAbsolute(one) ? path.relative(root, one) : one)).join(' > ');
      for (const one of from) if (!ways.some((known) => known[0] === one)) ways.push([one, ...way]);
    }
    return id;
  };

  for (const id of modules) {
    if (isBuiltin(id)) ofNode.push(wayTo(id));
    // Packages look whether there is a `process` before they use it; that they can do without is seen when the script runs.
    else if (!id.includes('node_modules') && id.endsWith('.ts')) {
      for (const name of namesIn(parseAst(readFileSync(id, 'utf8'), { lang: 'ts' }))) {
        if (NODE_GLOBALS.has(name)) ofNode.push(`${wayTo(id)} > ${name}`);
      }
    }
  }
  return { ofNode, script: output[0].code, modules };
}

/** Names that a program's values use or have: not those of members, and not those of types. */
function namesIn(node: unknown): Set<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) visit(one);
    if (Array.isArray(value) || typeof value !== 'object' || value === null) return;
    const { type, name, computed, property, key, ...rest } = value as Record<string, unknown>;
    if (typeof type === 'string' && /^TS(?!AsExpression|NonNull|Satisfies)/.test(type)) return;
    if (type === 'Identifier' && typeof name === 'string') names.add(name);
    if (type === 'ImportDeclaration' || (type === 'ExportNamedDeclaration' && rest.source)) return;
    if (computed !== false) visit([property, key]);
    for (const inside of Object.values(rest)) visit(inside);
  };
  visit(node);
  return names;
}
