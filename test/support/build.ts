/** Tests run sources, but the engine's thread and the command line run what is built: so it is built, and the built-in model unpacked, before any test. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

export default function build(): void {
  const compiler = path.join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');
  const root = path.resolve(import.meta.dirname, '../..');
  for (const script of [[compiler, '-p', 'tsconfig.build.json'], ['tools/package/finish.mjs']]) {
    execFileSync(process.execPath, script, { cwd: root, stdio: 'inherit' });
  }
}
