/** Which tests `npm run test:unit` runs is found in what they import. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from './support/fixtures.js';
import { unitTests } from './support/unit-tests.js';

const ROOT = path.resolve(import.meta.dirname, '..');

it('leaves out what reaches the runtime of models, programs, servers or the build, by any way but types', async () => {
  const root = await temporaryFolder();
  const program = 'node:child_' + 'process';
  const files = {
    'src/engine/onnxruntime.ts': 'export const runtime = 1;',
    'src/far.ts': `import { type A } from './engine/types.js';\nexport const far = async () => import${'('}'./near.js');`,
    'src/near.ts': "export {\n  runtime,\n} from './engine/onnxruntime.js';\nexport * from './far.js';",
    'src/git.ts': `import { execFile } from '${program}';\nexport const git = execFile;`,
    'src/engine/types.ts': 'export type A = 1;',
    'test/support/start.ts': `import { spawn } from '${program}';\nexport const start = spawn;`,
    'test/a.test.ts':
      "import { git } from '../src/git.js';\nimport type { runtime } from '../src/engine/onnxruntime.js';",
    'test/b.test.ts': "import { far } from '../src/far.js';",
    'test/c.test.ts': "import { near } from '../src/near.js';",
    'test/inner/d.test.ts': "import { start } from '../support/start.js';",
    'test/inner/e.test.ts': `const built = '../di${'st'}/index.js';`,
    'test/inner/f.test.ts': "import data from './data.json';\nimport 'node:path';",
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  expect(unitTests(root)).toEqual(['test/a.test.ts', 'test/inner/f.test.ts'].map((name) => path.normalize(name)));
});

it('has tests of statistics, runs and texts, and none of an engine or a command', () => {
  const found = unitTests(ROOT);
  expect(found).toEqual(
    expect.arrayContaining(['test/stats/stats.test.ts', 'test/runs/journal.test.ts', 'test/priming/input.test.ts']),
  );
  expect(found.filter((name) => /engine\/engine|cli\/run\.|examples|package/.test(name))).toEqual([]);
});
