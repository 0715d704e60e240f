/** Compiles a checkpoint in a process of its own and answers `{"seconds", "peakBytes", "diskBytes"}`: what others' memory would hide. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import type { Precision } from '../src/model/graph/layout.js';

const [precision, directory, cacheDirectory] = process.argv.slice(2) as [Precision, string, string];
const start = performance.now();
const model = await compileModel(await openCheckpoint(directory), {
  precision,
  embeddingScale: 'exact',
  cacheDirectory,
});
const seconds = (performance.now() - start) / 1000;
const files = await readdir(model.directory);
const sizes = await Promise.all(files.map((file) => stat(path.join(model.directory, file))));
const diskBytes = sizes.reduce((sum, { size }) => sum + size, 0);
console.log(JSON.stringify({ seconds, peakBytes: process.resourceUsage().maxRSS * 1024, diskBytes }));
