/** Compiles a checkpoint: FOLDER CACHE SHARE. Prints `reached` once SHARE of the weights is written, and its memory at the end. */
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';

const [folder, cacheDirectory, share] = process.argv.slice(2) as [string, string, string];
const startBytes = process.memoryUsage.rss();
let weightsBytes = 0;
let reached = false;
await compileModel(await openCheckpoint(folder), {
  precision: 'float32',
  embeddingScale: 'exact',
  cacheDirectory,
  onProgress: (done, total) => {
    weightsBytes = total;
    if (!reached && done >= Number(share) * total) process.stdout.write('reached\n');
    reached ||= done >= Number(share) * total;
  },
});
if (!reached)
  console.log(JSON.stringify({ startBytes, peakBytes: process.resourceUsage().maxRSS * 1024, weightsBytes }));
