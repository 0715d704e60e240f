/**
 * Which nodes of a model's graphs compute on the CPU though another device was asked for: by the runtime's own log, so it needs the device and no batch. Exits with 1
 * when there are any. Sizes and row numbers, integers of 64 bits, are the CPU's everywhere.
 *
 *     npx tsx bench/placement.ts --device cuda|webgpu [--model FOLDER] [--precision float32]
 */
import { parseArgs } from 'node:util';
import { openCheckpoint } from '../src/model/checkpoint.js';
import { compileModel } from '../src/model/compile.js';
import { defaultCacheDirectory } from '../src/model/compiled.js';
import { type Precision, weightsOfPrecision } from '../src/model/graph/layout.js';
import { type Device, targetOf } from '../src/model/graph/target.js';
import { BUILT_IN_MODEL } from '../src/scoring/load-model.js';
import { BUILDS, type BuiltGraph, builtGraph, computedByCpu, placements } from '../test/support/placement.js';

const { values } = parseArgs({
  options: {
    device: { type: 'string' },
    model: { type: 'string', default: BUILT_IN_MODEL },
    precision: { type: 'string', default: 'float32' },
  },
});
const precision = values.precision as Precision;
const model = await compileModel(await openCheckpoint(values.model), {
  precision: weightsOfPrecision(precision),
  embeddingScale: 'exact',
  cacheDirectory: defaultCacheDirectory(),
});
const target = targetOf(precision, values.device as Device);
const names = Object.keys(BUILDS) as BuiltGraph[];
for (const [name, placed] of await placements(model, target, names)) {
  const onCpu = computedByCpu(placed, await builtGraph(model, target, name));
  const sizes = placed.filter(({ provider }) => provider === 'CPUExecutionProvider').length - onCpu.length;
  console.log(
    `${name}: ${placed.length} nodes, ${onCpu.length} compute on the CPU, ${sizes} reckon sizes or copy there`,
  );
  for (const node of onCpu) console.log(`  ${node.type} ${node.name}`);
  if (onCpu.length > 0) process.exitCode = 1;
}
