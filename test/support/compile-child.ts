/**
 * Compiles a checkpoint: FOLDER CACHE SHARE PAUSE. Prints `reached` once SHARE of the weights is written and rests for PAUSE
 * milliseconds, `waiting` while another process compiles the same, and its memory at the end.
 */
import { openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';

const [folder, cacheDirectory, share, pause] = process.argv.slice(2) as [string, string, string, string];
const startBytes = process.memoryUsage.rss();
let weightsBytes = 0;
let reached = false;
await compileModel(await openCheckpoint(folder), {
  precision: 'float32',
  embeddingScale: 'exact',
  cacheDirectory,
  onWait: (holder) => console.log(`waiting for ${holder}`),
  onProgress: (done, total) => {
    weightsBytes = total;
    if (reached || done < Number(share) * total) return;
    reached = true;
    process.stdout.write('reached\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(pause));
  },
});
if (!reached)
  console.log(JSON.stringify({ startBytes, peakBytes: process.resourceUsage().maxRSS * 1024, weightsBytes }));
