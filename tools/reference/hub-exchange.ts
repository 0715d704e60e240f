/**
 * Exchanges a cache folder with Python's huggingface_hub: what Python downloaded is loaded here offline, and what was pulled here is
 * found by Python offline, file for file the same.
 *
 *     npx tsx tools/reference/hub-exchange.ts PYTHON [CHECKPOINT [DATASET]]
 *
 * PYTHON has the packages of tools/reference/requirements.txt; CHECKPOINT is a folder, a small fixture by default; DATASET is what
 * Experiment 01 then runs on.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { HubStandIn } from '../../test/support/hub.js';

const run = promisify(execFile);
const ID = 'google/t5gemma-2-test';
const ROOT = path.resolve(import.meta.dirname, '../..');
const FILES = ['config.json', 'model.safetensors', 'tokenizer.json'];

const [python, checkpoint = path.join(ROOT, 'test/fixtures/reference/text'), dataset = 'adworld'] =
  process.argv.slice(2);
if (!python) throw new Error('usage: npx tsx tools/reference/hub-exchange.ts PYTHON [CHECKPOINT [DATASET]]');

const hub = await HubStandIn.start();
const home = await mkdtemp(path.join(os.tmpdir(), 'dkv-exchange-'));
try {
  const commit = await hub.publish(ID, checkpoint);
  const online = (name: string) => ({
    ...process.env,
    HF_HOME: path.join(home, name),
    HF_ENDPOINT: hub.url,
    HF_HUB_DISABLE_XET: '1',
    DKV_CACHE: path.join(home, 'dkv'),
  });
  const offline = (name: string) => ({ ...online(name), HF_ENDPOINT: '', HF_HUB_OFFLINE: '1' });
  const dkv = (args: string[], env: NodeJS.ProcessEnv) =>
    run(process.execPath, [path.join(ROOT, 'dist/cli/main.js'), ...args], { env });
  const snapshot = async (env: NodeJS.ProcessEnv) =>
    (
      await run(
        python,
        [
          '-c',
          `from huggingface_hub import snapshot_download; print(snapshot_download('${ID}', allow_patterns=${JSON.stringify(FILES)}))`,
        ],
        { env },
      )
    ).stdout.trim();

  await snapshot(online('python'));
  const out = path.join(home, 'run');
  await dkv(['run', 'exp01', '--n', '4', '--model', ID, '--dataset', dataset, '--out', out], offline('python'));
  const record = JSON.parse(await readFile(path.join(out, 'run.json'), 'utf8'));
  console.log(`Python downloaded, dkv ran offline: ${JSON.stringify(record.configuration.model)}`);

  await dkv(['models', 'pull', ID], online('dkv-pull'));
  const found = await snapshot(offline('dkv-pull'));
  if (path.basename(found) !== commit) throw new Error(`Python found ${found}, expected commit ${commit}`);
  for (const file of FILES) {
    const [theirs, ours] = await Promise.all([readFile(path.join(found, file)), readFile(path.join(checkpoint, file))]);
    if (!theirs.equals(ours)) throw new Error(`${file} differs`);
  }
  console.log(`dkv pulled, Python found offline: ${path.relative(home, found)}`);

  // A download by Python into the folder that dkv filled brings nothing twice.
  const before = hub.requests.length;
  await snapshot(online('dkv-pull'));
  const again = hub.requests.slice(before).filter(({ host, method }) => host === 'content' && method === 'GET');
  if (again.length > 0) throw new Error(`Python downloaded again: ${again.map(({ url }) => url).join(', ')}`);
  console.log('Python asked again online and downloaded nothing');
} finally {
  await hub.stop();
  await rm(home, { recursive: true, force: true });
}
