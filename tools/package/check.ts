/**
 * Is what would be published usable? Packs this package, follows the links of its pages, installs it into an empty folder as a user does,
 * and uses it there: types under each way of finding modules, `import`, `require`, the command, a score, and the server of examples/serve.
 *
 *     npx tsx tools/package/check.ts        # 'npm' and 'node' are those of PATH; needs the npm registry, or its cache
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { brokenLinks } from './links.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const own = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
const compiler = path.join(createRequire(import.meta.url).resolve('typescript/package.json'), '../bin/tsc');

/** The README's library example: both TypeScript, whose types are checked, and JavaScript, which is run. */
const PROGRAM = `
import { loadModel, scoreTexts } from 'directed-kvcache';

const model = await loadModel();
const scores = await scoreTexts(
  model,
  [{ document: 'The lamp costs 24 euros.', prefix: 'lamp price', target: '24 euros' }],
  { maxTokens: 2048 },
);
console.log(JSON.stringify(scores));
await model.close();
`;

const TYPES = `
import type { Engine, Store, TextScore } from 'directed-kvcache';

export const nllOf = ({ nll }: TextScore): number => nll;
export const closeAll = (parts: (Engine | Store)[]): Promise<void[]> => Promise.all(parts.map((part) => part.close()));
`;

/** Starts the server that examples/serve/install.sh has put here, ranks a document of its store, and ends it. */
const SERVED = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const server = spawn('node_modules/.bin/dkv', ['serve', '--config', 'serve.yaml', '--port', '0'], { stdio: ['ignore', 'inherit', 'pipe'] });
let said = '';
const url = await new Promise((resolve, reject) => {
  server.stderr.on('data', (chunk) => {
    said += chunk;
    const [, found] = /Listening at (\\S+);/.exec(said) ?? [];
    if (found) resolve(found);
  });
  server.once('exit', () => reject(new Error('dkv serve ended: ' + said)));
});
const body = JSON.stringify({ query: 'a warm lamp', documents: [{ id: process.argv[2] }] });
const answer = await fetch(url + '/v1/rerank', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
server.kill('SIGTERM');
const [code] = await once(server, 'exit');
console.log(JSON.stringify({ status: answer.status, body: await answer.json(), code }));
`;

const RESOLUTIONS = [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const;

const folder = mkdtempSync(path.join(os.tmpdir(), 'dkv-package-'));
try {
  check();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function check(): void {
  const run = (command: string, args: readonly string[], input?: string) => {
    try {
      return execFileSync(command, args, {
        cwd: folder,
        encoding: 'utf8',
        input: input ?? '',
        stdio: ['pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ONNXRUNTIME_NODE_INSTALL: 'skip',
          DKV_CACHE: path.join(folder, 'cache'),
          DKV_EXAMPLE_DOCUMENTS: '20',
        },
      });
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(`${command} ${args.join(' ')} failed:\n${stdout ?? ''}${stderr ?? ''}`);
    }
  };
  const say = (done: string) => process.stdout.write(`ok  ${done}\n`);

  // What is built is printed before the list of files.
  const packing = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const tarball = path.join(folder, packing.trim().split('\n').at(-1)!);
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }\n');
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball]);
  const installed = path.join(folder, 'node_modules/directed-kvcache');
  say(`packed and installed: ${path.basename(tarball)}`);

  const broken = brokenLinks(installed);
  if (broken.length > 0) throw new Error(`Links of packed pages that lead nowhere:\n${broken.join('\n')}`);
  for (const forbidden of ['src', 'test', 'node_modules/.cache']) {
    if (existsSync(path.join(installed, forbidden))) throw new Error(`${forbidden} is packed`);
  }
  say('links of its pages');

  writeFileSync(path.join(folder, 'program.mts'), PROGRAM);
  writeFileSync(path.join(folder, 'types.mts'), TYPES);
  for (const [module, resolution] of RESOLUTIONS) {
    run(process.execPath, [
      compiler,
      ...[
        '--noEmit',
        '--strict',
        '--skipLibCheck',
        'false',
        '--target',
        'es2023',
        '--lib',
        'es2023',
        '--types',
        'node',
      ],
      ...['--typeRoots', path.join(ROOT, 'node_modules/@types')],
      ...['--module', module, '--moduleResolution', resolution, 'program.mts', 'types.mts'],
    ]);
    say(`types under ${resolution}`);
  }

  writeFileSync(path.join(folder, 'program.mjs'), PROGRAM);
  expectScore(run('node', ['program.mjs']), 'import');
  const required = run('node', ['-p', 'typeof require("directed-kvcache").loadModel', '--input-type=commonjs']);
  if (required.trim() !== 'function') throw new Error(`require() gave no loadModel but ${required}`);
  say('require');

  const version = run('npx', ['--no-install', 'dkv', '--version']).trim();
  if (version !== own.version) throw new Error(`dkv --version says ${version}, package.json ${own.version}`);
  const line = '{"document":"The lamp costs 24 euros.","target":"24 euros"}';
  expectScore(`[${run('npx', ['--no-install', 'dkv', 'score'], line).trim()}]`, 'dkv score');

  // As in a container, but for the registry: the package is there already.
  run('sh', [path.join(installed, 'examples/serve/install.sh'), folder]);
  writeFileSync(path.join(folder, 'served.mjs'), SERVED);
  const [first = ''] = run('npx', ['--no-install', 'dkv', 'data', 'adworld', '--count', '1']).split('\n');
  const { id } = JSON.parse(first) as { id: string };
  const served = JSON.parse(run('node', ['served.mjs', id])) as {
    status: number;
    code: number;
    body: { results?: { nll?: number }[] };
  };
  if (served.status !== 200 || served.code !== 0 || !Number.isFinite(served.body.results?.[0]?.nll)) {
    throw new Error(`the server that install.sh makes answered ${JSON.stringify(served)}`);
  }
  say(`install.sh and dkv serve: NLL ${served.body.results![0]!.nll}`);

  function expectScore(output: string, from: string): void {
    const [score] = JSON.parse(output) as { nll?: number }[];
    if (!Number.isFinite(score?.nll)) throw new Error(`${from} gave no score: ${output}`);
    say(`${from}: NLL ${score!.nll}`);
  }
}
