/** The files that threads and processes begin with. */

/** Run from source, as the tests do, threads and processes are still the built ones: Node starts no TypeScript in them. */
export function entry(name: 'hosts/worker' | 'hosts/child' | 'devices/trial-process' | 'cli/main'): URL {
  return new URL(import.meta.url.endsWith('.ts') ? `../../dist/${name}.js` : `../${name}.js`, import.meta.url);
}
