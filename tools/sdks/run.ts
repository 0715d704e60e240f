/**
 * Python's SDKs against a server, with a key: check.py, and README's own examples.
 *
 *     python3 -m venv /tmp/sdks && /tmp/sdks/bin/pip install -r tools/sdks/requirements.txt
 *     npx tsx tools/sdks/run.ts /tmp/sdks/bin/python
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { startServer } from '../../src/server/serve.js';
import { settingsOf } from '../../src/server/settings.js';
import { prime } from '../../src/serving/prime.js';
import { servingBlocks } from '../../test/support/readme-blocks.js';

const [python = 'python3'] = process.argv.slice(2);
const run = promisify(execFile);
const folder = await mkdtemp(path.join(os.tmpdir(), 'dkv-sdks-'));
const file = path.join(folder, 'keys.json');
const CLI = path.resolve(import.meta.dirname, '../../dist/cli/main.js');

const created = await run(process.execPath, [
  CLI,
  'keys',
  'create',
  '--file',
  file,
  '--tenant',
  'shop',
  '--unsalted',
  '--scope',
  'read',
]);
const key = created.stdout.trim();
const server = await startServer(settingsOf([{ store: path.join(folder, 'store'), keys: file, listen: { port: 0 } }]));
try {
  await server.parts.shelf.use(undefined, async (edition) => {
    const documents = [
      { id: 'lamp', text: 'The green lamp costs 24 euros and gives warm light.' },
      { id: 'chair', text: 'The oak chair costs 80 euros.' },
      { id: 'desk', text: 'A desk of pine, 120 cm wide.' },
    ];
    await prime(edition.model, await edition.storeOf(''), documents);
  });
  const env = { ...process.env, DKV_URL: server.url, DKV_KEY: key };
  const programs = await servingBlocks('python', server.url);
  for (const args of [[path.join(import.meta.dirname, 'check.py')], ...programs.map((program) => ['-c', program])]) {
    const { stdout } = await run(python, args, { env });
    process.stdout.write(stdout);
  }
} finally {
  await server.close();
  await rm(folder, { recursive: true });
}
