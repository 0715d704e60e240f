/**
 * Scales that make 8-bit rounding equally fine for all channels. A row is rounded with one step, by its largest number: where few channels are far
 * larger than the others, as norms with large weights make them, the others lose their digits. What a producer gives in a channel is divided by a
 * scale and the weights that read the channel are multiplied by it (SmoothQuant, Xiao et al. 2023), so that the product stays what it was.
 *
 * Scales are powers of two, which change no digit of a float32 number, and follow from the weights alone. A row's scales do not depend on other
 * rows, so that results still do not depend on the batch.
 */
import { type Checkpoint, EMBEDDING } from './checkpoint.js';
import type { ModelConfig, StackConfig } from './config.js';
import { readFloat32 } from './safetensors.js';

/** What a matrix reads: the rows that its own stack makes, or the encoder's states. */
export type Read = 'rows' | 'states';

/** Scales of one tensor. */
export interface Scales {
  /** That what it gives is divided by: a norm's scale, or a matrix's outputs. None where it is undefined. */
  readonly divided: Float32Array | undefined;
  /** That a matrix's columns are multiplied by, for what it reads. */
  readonly multiplied: Float32Array | undefined;
}

export interface Smoothing {
  of(tensor: string, read: Read): Scales;
}

/** The norm whose output the decoder's keys and values read as states. It is not divided: states mean the same at every precision. */
export const STATES_NORM = 'encoder.norm.weight';

/** A producer of channels and who reads them. */
interface Channels {
  readonly producer: string;
  readonly readers: readonly string[];
  readonly read: Read;
}

/** All channels that are smoothed. */
function smoothedChannels(config: ModelConfig): Channels[] {
  const all: Channels[] = [];
  for (const side of ['encoder', 'decoder'] as const) {
    for (const layer of config[side].layerTypes.keys()) {
      const name = (part: string) => `${side}.layers.${layer}.${part}.weight`;
      const add = (producer: string, readers: readonly string[]) =>
        all.push({ producer: name(producer), readers: readers.map(name), read: 'rows' });
      add('pre_self_attn_layernorm', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']);
      add('pre_feedforward_layernorm', ['mlp.gate_proj', 'mlp.up_proj']);
      add('self_attn.v_proj', ['self_attn.o_proj']);
      add('mlp.up_proj', ['mlp.down_proj']);
    }
  }
  const readers = [...config.decoder.layerTypes.keys()].flatMap((layer) =>
    ['k_proj', 'v_proj'].map((part) => `decoder.layers.${layer}.self_attn.${part}.weight`),
  );
  all.push({ producer: STATES_NORM, readers, read: 'states' });
  return all;
}

/** Is this producer's output divided where it is made? */
export function isDivided(name: string): boolean {
  return /\.(pre_self_attn_layernorm|pre_feedforward_layernorm|self_attn\.v_proj|mlp\.up_proj)\.weight$/.test(name);
}

/** Reads all matrices but the table once. */
export async function smoothingOf({ config, tensors }: Checkpoint): Promise<Smoothing> {
  const normScale = async (name: string) => {
    for await (const chunk of readFloat32(tensors.get(name)!)) return chunk.map((value) => Math.abs(1 + value));
    throw new Error(`${name} is empty`);
  };
  const sizes = new Map<string, Sizes>();
  for (const [name, tensor] of tensors) {
    if (tensor.shape.length !== 2 || name === EMBEDDING) continue;
    const norm = normBefore(name);
    const chunks = readFloat32(tensor, wholeRows(tensor.shape));
    sizes.set(name, await sizesOf(chunks, tensor.shape, norm ? await normScale(norm) : undefined));
  }
  const divided = new Map<string, Float32Array>();
  const multiplied = new Map<string, Float32Array>();
  for (const { producer, readers, read } of smoothedChannels(config)) {
    const given = sizes.get(producer)?.rows ?? (await normScale(producer));
    const group = producer.endsWith('v_proj.weight') ? groupOf(config[sideOf(producer)]) : undefined;
    const used = new Float32Array(given.length);
    for (const reader of readers) {
      for (const [column, size] of sizes.get(reader)!.columns.entries()) {
        const channel = group ? group(column) : column;
        used[channel] = Math.max(used[channel]!, size);
      }
    }
    const scales = scalesOf(given, used);
    if (read === 'rows') divided.set(producer, scales);
    for (const reader of readers) {
      const width = sizes.get(reader)!.columns.length;
      const own = group ? Float32Array.from({ length: width }, (_, column) => scales[group(column)]!) : scales;
      multiplied.set(`${read} ${reader}`, own);
    }
  }
  divided.set(STATES_NORM, multiplied.get(`states decoder.layers.0.self_attn.k_proj.weight`)!);
  return { of: (tensor, read) => ({ divided: divided.get(tensor), multiplied: multiplied.get(`${read} ${tensor}`) }) };
}

/** The norm that gives a matrix its rows, of matrices whose outputs are smoothed themselves. */
function normBefore(name: string): string | undefined {
  if (name.endsWith('self_attn.v_proj.weight')) return name.replace('self_attn.v_proj', 'pre_self_attn_layernorm');
  if (name.endsWith('mlp.up_proj.weight')) return name.replace('mlp.up_proj', 'pre_feedforward_layernorm');
  return undefined;
}

function sideOf(name: string): 'encoder' | 'decoder' {
  return name.startsWith('encoder.') ? 'encoder' : 'decoder';
}

/** Heads that share values read the same channels of them. */
function groupOf({ heads, kvHeads, headDim }: StackConfig): (column: number) => number {
  return (column) => Math.floor(column / headDim / (heads / kvHeads)) * headDim + (column % headDim);
}

interface Sizes {
  /** The root mean square of each row, its columns as large as what they read; and the largest magnitude of each column. */
  readonly rows: Float32Array;
  readonly columns: Float32Array;
}

async function sizesOf(
  chunks: AsyncIterable<Float32Array>,
  [rows, width]: readonly number[],
  given: Float32Array | undefined,
): Promise<Sizes> {
  const sizes = { rows: new Float32Array(rows!), columns: new Float32Array(width!) };
  let row = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += width!) {
      let squares = 0;
      for (let column = 0; column < width!; column++) {
        const size = Math.abs(chunk[at + column]!);
        squares += (size * (given?.[column] ?? 1)) ** 2;
        if (size > sizes.columns[column]!) sizes.columns[column] = size;
      }
      sizes.rows[row++] = Math.sqrt(squares / width!);
    }
  }
  return sizes;
}

function wholeRows(shape: readonly number[]): number {
  const width = shape.at(-1)!;
  return width * Math.max(1, Math.floor(2 ** 21 / width));
}

/** How much of a channel's size goes to the weights that read it; the rest stays with what is read. Measured: docs/benchmarks.md. */
const SHARE = 0.75;

/** Channels that are next to nothing, or next to never read, would get next to infinite scales. */
const SMALLEST = 2 ** -20;

/**
 * @param given how large each channel is, up to a common factor
 * @param used how large the weights that read it are
 */
function scalesOf(given: Float32Array, used: Float32Array): Float32Array {
  const floor = (sizes: Float32Array) =>
    Math.max(Number.MIN_VALUE, SMALLEST * sizes.reduce((a, b) => Math.max(a, b), 0));
  const [least, leastUsed] = [floor(given), floor(used)];
  const exponents = Array.from(
    given,
    (size, channel) =>
      SHARE * Math.log2(Math.max(size, least)) - (1 - SHARE) * Math.log2(Math.max(used[channel]!, leastUsed)),
  );
  const middle = [...exponents].sort((a, b) => a - b)[Math.floor(exponents.length / 2)]!;
  return Float32Array.from(exponents, (exponent) => 2 ** Math.round(exponent - middle));
}

/** Rows of a matrix divided by the scales of what they give, columns multiplied by those of what they read. In place. */
export async function* readSmoothed(
  chunks: AsyncIterable<Float32Array<ArrayBuffer>>,
  width: number,
  { divided, multiplied }: Scales,
): AsyncGenerator<Float32Array<ArrayBuffer>> {
  let row = 0;
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += width, row++) {
      const divisor = divided?.[row] ?? 1;
      for (let column = 0; column < width; column++) chunk[at + column]! *= (multiplied?.[column] ?? 1) / divisor;
    }
    yield chunk;
  }
}

/** A vector of float32 numbers divided by the scales of its channels, as bytes. */
export function smoothedVector(bytes: Uint8Array, { divided }: Scales): Uint8Array {
  const values = new Float32Array(bytes.slice().buffer);
  return new Uint8Array(values.map((value, channel) => value / (divided?.[channel] ?? 1)).buffer);
}
