/** ONNX Runtime sends telemetry unless it is told not to before its first session, and keeps an identifier of the machine in the user's cache folder. */
import { execFileSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';

it.each([
  ['worker-engine', 'startWorkerEngine'],
  ['child-engine', 'startChildEngine'],
])("the runtime collects nothing and leaves nothing in the user's folders: %s", async (file, start) => {
  const checkpoint = await openCheckpoint(referenceFixture('one-kv-head'));
  const cacheDirectory = await temporaryFolder();
  const model = await compileModel(checkpoint, { precision: 'float32', embeddingScale: 'exact', cacheDirectory });
  const home = await temporaryFolder();
  const script = `
    import { ${start} } from ${JSON.stringify(path.resolve(`dist/hosts/${file}.js`))};
    const engine = await ${start}(${JSON.stringify(model)}, { device: 'cpu', threads: 1 });
    await engine.encode([{ tokenIds: Int32Array.of(2, 5) }]);
    await engine.close();`;
  // And no variable by which the runtime knows a CI, where it collects nothing by itself.
  const env = { PATH: process.env.PATH, HOME: home, XDG_CACHE_HOME: home };
  const program = path.join(await temporaryFolder(), 'program.mjs');
  await writeFile(program, script);
  execFileSync(process.execPath, [program], { env, stdio: 'inherit' });
  expect(await readdir(home)).toEqual([]);
});
