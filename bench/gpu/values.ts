/**
 * What a device computes for two documents: states, NLLs of eight tokens, sixteen tokens written greedily. Printed as JSON, to be held against the CPU's.
 *
 *     node --import tsx bench/gpu/values.ts DEVICE PRECISION CHECKPOINT WORKLOADS.json
 */
import { readFileSync } from 'node:fs';
import { allRows, type Device } from '../../src/engine/engine.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { engineOf } from '../engine-of.js';
import type { Workloads } from '../workloads.js';
import type { Values } from './compare.js';

const [device, precision, checkpoint, file] = process.argv.slice(2) as [Device, Precision, string, string];
const work: Workloads = JSON.parse(readFileSync(file, 'utf8'));
const engine = await engineOf({ device, precision, checkpoint, batchTokens: 4096 });
const states = await engine.encode(work.of128.slice(0, 2).map((ids) => ({ tokenIds: Int32Array.from(ids) })));
const asked = states.map((of) => ({ memory: [allRows(of)], prompt: new Int32Array(0) }));
const nlls = await engine.score(asked.map((item, i) => ({ ...item, target: Int32Array.from(work.targets[i]!) })));
const made = await engine.generate(asked.map((item) => ({ ...item, maxTokens: 16 })));
await engine.close();
const values: Values = {
  states: states.map(({ data }) => Array.from(data)),
  nlls: nlls.map((own) => Array.from(own)),
  tokens: made.map(({ tokenIds }) => Array.from(tokenIds)),
};
console.log(JSON.stringify(values));
