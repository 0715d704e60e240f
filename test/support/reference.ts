/**
 * Runs the cases of a fixture made by tools/reference/make_fixtures.py through our engine and measures how far the answers are from
 * the reference's. Used by the parity test and by tools/reference/parity.ts, which writes docs/parity.md.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { EncodeItem, Engine, Memory, StateRange, States } from '../../src/engine/engine.js';
import { type Checkpoint, openCheckpoint } from '../../src/model/checkpoint.js';
import { compileModel } from '../../src/model/compile.js';
import { shapeOf } from '../../src/model/families/families.js';
import type { EmbeddingScale } from '../../src/model/families/family.js';
import { readFloat32, readHeader } from '../../src/model/files/safetensors.js';
import type { Precision } from '../../src/model/graph/layout.js';
import { INVERSE_TEMPERATURES } from '../../src/stats/inverse-temperatures.js';
import { engineHere } from './engine-here.js';

/** Stated once: how far an answer may be from the reference's, or from our own made another way. */
export const TOLERANCES = {
  states: 1e-4,
  hidden: 1e-4,
  attention: 1e-4,
  nll: 1e-4,
  'log-probabilities': 1e-4,
  'greedy tokens': 0,
  'batched = single': 1e-5,
  'dropped = masked': 1e-5,
} as const;

export type Quantity = keyof typeof TOLERANCES;

export interface Difference {
  readonly case: string;
  readonly quantity: Quantity;
  /**
   * Absolute; for `hidden` relative to the row's root mean square, which the next norm divides by; for the last two relative to
   * max(1, |x|); for tokens the number of different ones.
   */
  readonly difference: number;
}

export interface ReferenceCase {
  name: string;
  ids: number[];
  positions?: number[];
  pair_mask?: string[];
  visible: number[];
  before?: { case: string; rows: number[] }[];
  probe?: boolean;
  prompt?: number[];
  target?: number[];
  greedy?: number[];
  max_tokens?: number;
}

export interface Fixture {
  about: string;
  cases: ReferenceCase[];
  expected: Map<string, Float32Array>;
}

export async function readFixture(directory: string): Promise<Fixture> {
  const content = JSON.parse(await readFile(path.join(directory, 'cases.json'), 'utf8'));
  const expected = new Map<string, Float32Array>();
  for (const [name, tensor] of await readHeader(path.join(directory, 'expected.safetensors'))) {
    const values = new Float32Array(tensor.sizeBytes / 4);
    let at = 0;
    for await (const chunk of readFloat32(tensor)) {
      values.set(chunk, at);
      at += chunk.length;
    }
    expected.set(name, values);
  }
  return { about: content.about, cases: content.cases, expected };
}

/** @param altered a checkpoint to run instead of the fixture's own, or another precision */
export async function compareWithReference(
  directory: string,
  cacheDirectory: string,
  altered: { readonly checkpoint?: Checkpoint; readonly precision?: Precision } = {},
): Promise<Difference[]> {
  const { cases, expected } = await readFixture(directory);
  const { checkpoint = await openCheckpoint(directory), precision = 'float32' } = altered;
  const embeddingScale: EmbeddingScale = path.basename(directory) === 'bfloat16-scale' ? 'bfloat16' : 'exact';
  const model = await compileModel(checkpoint, { precision, embeddingScale, cacheDirectory });
  const together = engineHere(model, { device: 'cpu', batchTokens: 100_000 });
  const alone = engineHere(model, { device: 'cpu', batchTokens: 1 });
  const differences: Difference[] = [];
  const note = (name: string, quantity: Quantity, difference: number) =>
    differences.push({ case: name, quantity, difference });

  const items = cases.map(encodeItem);
  const states = await together.encode(items);
  const single = await alone.encode(items);
  const byName = new Map(cases.map(({ name }, i) => [name, states[i]!]));
  for (const [i, { name }] of cases.entries()) {
    note(name, 'states', absolute(states[i]!.data, expected.get(`${name}.states`)!));
    note(name, 'batched = single', relative(states[i]!.data, single[i]!.data));
  }
  await compareProbes(together, cases, expected, note);

  const memories = cases.map((item, i) => memoryOf(item, states[i]!, byName, false));
  const masked = cases.map((item, i) => memoryOf(item, states[i]!, byName, true));
  const scoring = [...cases.entries()].filter(([, { target }]) => target);
  const scoreItem = (item: ReferenceCase, memory: Memory) => ({
    memory,
    prompt: Int32Array.from(item.prompt!),
    target: Int32Array.from(item.target!),
  });
  const nlls = await together.score(scoring.map(([i, item]) => scoreItem(item, memories[i]!)));
  const nllsAlone = await alone.score(scoring.map(([i, item]) => scoreItem(item, memories[i]!)));
  const nllsMasked = await together.score(scoring.map(([i, item]) => scoreItem(item, masked[i]!)));
  for (const [at, [, { name }]] of scoring.entries()) {
    note(name, 'nll', absolute(nlls[at]!, expected.get(`${name}.nll`)!));
    note(name, 'batched = single', relative(nlls[at]!, nllsAlone[at]!));
    note(name, 'dropped = masked', relative(nlls[at]!, nllsMasked[at]!));
  }

  const speaking = [...cases.entries()].filter(([, { greedy }]) => greedy);
  const generated = await together.generate(
    speaking.map(([i, item]) => ({
      memory: memories[i]!,
      prompt: Int32Array.from(item.prompt!),
      maxTokens: item.max_tokens!,
    })),
  );
  for (const [at, [i, item]] of speaking.entries()) {
    const found = [...generated[at]!.tokenIds];
    const wanted = item.greedy!.filter((id) => !shapeOf(checkpoint.config).stopTokenIds.includes(id));
    const wrong =
      wanted.filter((id, position) => found[position] !== id).length + Math.abs(found.length - wanted.length);
    note(item.name, 'greedy tokens', wrong);
    const logits = expected.get(`${item.name}.logits`)!;
    note(item.name, 'log-probabilities', await compareLogits(together, item, memories[i]!, logits));
  }
  await together.close();
  await alone.close();
  return differences;
}

async function compareProbes(
  engine: Engine,
  cases: readonly ReferenceCase[],
  expected: ReadonlyMap<string, Float32Array>,
  note: (name: string, quantity: Quantity, difference: number) => void,
): Promise<void> {
  const probed = cases.filter(({ probe }) => probe);
  const layers = Array.from({ length: engine.info.shape.encoder.layers }, (_, layer) => layer);
  const answers = await engine.probe(probed.map(encodeItem), { hidden: layers, attention: layers });
  for (const [i, { name }] of probed.entries()) {
    for (const layer of layers) {
      const { states, hidden, attention } = answers[i]!;
      note(name, 'states', absolute(states.data, expected.get(`${name}.states`)!));
      note(name, 'hidden', perRow(hidden.get(layer)!, expected.get(`${name}.hidden.${layer}`)!));
      note(name, 'attention', absolute(attention.get(layer)!, expected.get(`${name}.attention.${layer}`)!));
    }
  }
}

/**
 * The distribution after the prompt: one NLL for each of up to 300 words spread over the vocabulary, for some of them at every inverse temperature, and the log
 * of each one's odds to the first, from their logits alone.
 */
async function compareLogits(
  engine: Engine,
  item: ReferenceCase,
  memory: Memory,
  logits: Float32Array,
): Promise<number> {
  const stride = Math.ceil(logits.length / 300);
  const words = Array.from({ length: Math.ceil(logits.length / stride) }, (_, i) => i * stride);
  const prompt = Int32Array.from(item.prompt!);
  const scored = words.map((id) => ({ memory, prompt, target: Int32Array.of(id) }));
  const nlls = await engine.score(scored);
  const max = logits.reduce((a, b) => Math.max(a, b));
  const logSum = (inverse: number) =>
    inverse * max + Math.log(logits.reduce((sum, logit) => sum + Math.exp(inverse * (logit - max)), 0));
  const logTotal = logSum(1);
  const some = scored.filter((_, i) => i % 5 === 0);
  const tempered = await engine.scoreTempered(some);
  const sums = INVERSE_TEMPERATURES.map(logSum);
  const cooled = some.flatMap(({ target: [id] }, i) =>
    INVERSE_TEMPERATURES.map((inverse, b) => Math.abs(sums[b]! - inverse * logits[id!]! - tempered[i]![b]!)),
  );
  const [own] = await engine.logits([{ memory, prompt, tokens: Int32Array.from(words) }]);
  const odds = words.map((id, i) => Math.abs(own![i]! - own![0]! - (logits[id]! - logits[words[0]!]!)));
  return Math.max(...odds, ...cooled, ...words.map((id, i) => Math.abs(logTotal - logits[id]! - nlls[i]![0]!)));
}

function encodeItem({ ids, positions, pair_mask }: ReferenceCase): EncodeItem {
  return {
    tokenIds: Int32Array.from(ids),
    ...(positions && { positions: Int32Array.from(positions) }),
    ...(pair_mask && { pairMask: Uint8Array.from(pair_mask.join(''), Number) }),
  };
}

/** The visible rows, or all rows with the others masked; after rows of other cases where the case asks for them. */
function memoryOf(
  { visible, before = [] }: ReferenceCase,
  states: States,
  byName: ReadonlyMap<string, States>,
  masked: boolean,
): Memory {
  const foreign = before.flatMap(({ case: name, rows }) => ranges(byName.get(name)!, rows));
  if (!masked) return [...foreign, ...ranges(states, visible)];
  const others = Array.from({ length: states.rows }, (_, row) => row).filter((row) => !visible.includes(row));
  const hidden = ranges(states, others).map((range) => ({ ...range, masked: true }));
  return [...foreign, ...[...ranges(states, visible), ...hidden].sort((a, b) => a.start - b.start)];
}

/** Ascending rows as few ranges. */
function ranges(states: States, rows: readonly number[]): StateRange[] {
  const found: { states: States; start: number; end: number }[] = [];
  for (const row of rows) {
    const last = found.at(-1);
    if (last?.end === row) last.end = row + 1;
    else found.push({ states, start: row, end: row + 1 });
  }
  return found;
}

function absolute(found: Float32Array, wanted: Float32Array): number {
  return largest(found, wanted, () => 1);
}

function relative(found: Float32Array, wanted: Float32Array): number {
  return largest(found, wanted, (x) => Math.max(1, Math.abs(x)));
}

function perRow({ width, data }: States, wanted: Float32Array): number {
  const rowScale = Array.from({ length: wanted.length / width }, (_, row) => {
    const values = wanted.subarray(row * width, (row + 1) * width);
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / width);
  });
  return largest(data, wanted, (_, i) => rowScale[Math.floor(i / width)]!);
}

function largest(found: Float32Array, wanted: Float32Array, scale: (x: number, index: number) => number): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let max = 0;
  for (let i = 0; i < found.length; i++) {
    const difference = Math.abs(found[i]! - wanted[i]!) / scale(wanted[i]!, i);
    // NaN must not slip through a comparison.
    if (!(difference <= max)) max = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return max;
}
