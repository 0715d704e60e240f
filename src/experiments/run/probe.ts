/**
 * What a prefix changes inside the encoder: where the document's rows look, how far their states move, and whether they move where the real
 * query moves them. Regions are exact: BOS, prefix, line break, document and end of text apart, as far as the model's inputs have them.
 */
import type { Engine, Probed, ProbeLayers } from '../../engine/engine.js';
import type { EncoderInput, Range } from '../../priming/input.js';
import type { ProbeTrial } from '../../runs/schema/entry.js';
import type { ProbeMeasure } from '../../runs/schema/probe.js';
import type { PlannedTrial } from '../plan/block.js';

/** The layers asked for; all of a model that does not have them all. */
export function layersOf(wanted: ProbeLayers | undefined, layers: number): ProbeLayers {
  const all = Array.from({ length: layers }, (_, layer) => layer);
  if (!wanted || Math.max(...wanted.attention, ...wanted.hidden) >= layers) return { attention: all, hidden: all };
  return wanted;
}

/**
 * Probes the conditions of one sample. One at a time, because attention takes heads x rows x rows numbers a layer.
 * @param trials of one sample: the one named `bare` is what the others are compared with, `oracle` what shifts are
 */
export async function probeSample(
  engine: Engine,
  trials: readonly PlannedTrial[],
  layers: ProbeLayers,
  signal: AbortSignal | undefined,
): Promise<ProbeTrial[]> {
  const probe = async ({ parts }: PlannedTrial) => {
    const { item, input } = parts[0]!;
    const [probed] = await engine.probe([item], layers, signal ? { signal } : {});
    return { probed: probed!, spans: input.spans, rows: item.tokenIds.length };
  };
  const named = (name: string) => trials.find(({ condition }) => condition.name === name)!;
  const bare = await probe(named('bare'));
  const oracle = await probe(named('oracle'));
  const made: ProbeTrial[] = [];
  for (const trial of trials) {
    const name = trial.condition.name;
    const seen = name === 'bare' ? bare : name === 'oracle' ? oracle : await probe(trial);
    const entries = [
      ...layers.attention.map((layer) => ({ layer, ...attentionMeasures(seen, bare, layer) })),
      ...layers.hidden.map((layer) => ({ layer, ...shiftMeasures(seen, bare, oracle, layer) })),
    ];
    const byLayer = new Map<number, Record<string, number>>();
    for (const { layer, ...values } of entries) byLayer.set(layer, { ...byLayer.get(layer), ...values });
    const values = [...byLayer].sort(([a], [b]) => a - b).map(([layer, measures]) => ({ layer, measures }));
    made.push({ sample: trial.sample.id, condition: name, layers: values });
  }
  return made;
}

interface Seen {
  readonly probed: Probed;
  readonly spans: EncoderInput['spans'];
  readonly rows: number;
}

const EMPTY: Range = { start: 0, end: 0 };

function attentionMeasures(seen: Seen, bare: Seen, layer: number): Partial<Record<ProbeMeasure, number>> {
  const { rows, spans } = seen;
  const attention = seen.probed.attention.get(layer)!;
  const before = bare.probed.attention.get(layer)!;
  const document = spans.document!;
  const start = bare.spans.document!.start;
  const size = document.end - document.start;
  const heads = attention.length / (rows * rows);
  const regions = {
    to_bos: spans.bos,
    to_prefix: spans.prefix,
    to_separator: spans.separator,
    to_document: document,
    to_eos: spans.eos,
  };
  const shares = { to_bos: 0, to_prefix: 0, to_separator: 0, to_document: 0, to_eos: 0 };
  const received = new Float64Array(size);
  let [entropy, divergence] = [0, 0];
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < size; row++) {
      const line = attention.subarray((head * rows + document.start + row) * rows).subarray(0, rows);
      const bareLine = before.subarray((head * bare.rows + start + row) * bare.rows).subarray(0, bare.rows);
      for (const [name, range = EMPTY] of Object.entries(regions)) {
        shares[name as keyof typeof shares] += sumOf(line, range);
      }
      for (const p of line) if (p > 0) entropy -= p * Math.log(p);
      const [whole, bareWhole] = [sumOf(line, document), sumOf(bareLine, { start, end: start + size })];
      for (let column = 0; column < size; column++) {
        const q = line[document.start + column]! / whole;
        const p = bareLine[start + column]! / bareWhole;
        received[column]! += line[document.start + column]!;
        // Attention that vanishes in single precision is not infinitely surprising.
        if (p > 0) divergence += p * Math.log(p / Math.max(q, Number.MIN_VALUE));
      }
    }
  }
  const lines = heads * size;
  return {
    ...(spans.bos && { to_bos: shares.to_bos / lines }),
    ...(spans.prefix && { to_prefix: shares.to_prefix / lines }),
    ...(spans.separator && { to_separator: shares.to_separator / lines }),
    to_document: shares.to_document / lines,
    ...(spans.eos && { to_eos: shares.to_eos / lines }),
    entropy: entropy / lines,
    strongest: Math.max(...received) / lines,
    ...(seen !== bare && { divergence: divergence / lines }),
  };
}

function sumOf(values: Float32Array, { start, end }: Range): number {
  let sum = 0;
  for (let i = start; i < end; i++) sum += values[i]!;
  return sum;
}

function shiftMeasures(seen: Seen, bare: Seen, oracle: Seen, layer: number): Partial<Record<ProbeMeasure, number>> {
  if (seen === bare) return {};
  const shift = shiftOf(seen, bare, layer);
  const wanted = shiftOf(oracle, bare, layer);
  const size = shift.length / seen.probed.states.width;
  const width = seen.probed.states.width;
  let [distance, cosine] = [0, 0];
  for (let row = 0; row < size; row++) {
    let [dot, own, other] = [0, 0, 0];
    for (let at = row * width; at < (row + 1) * width; at++) {
      dot += shift[at]! * wanted[at]!;
      own += shift[at]! ** 2;
      other += wanted[at]! ** 2;
    }
    distance += Math.sqrt(own);
    cosine += own > 0 && other > 0 ? dot / Math.sqrt(own * other) : 0;
  }
  return { shift: distance / size, cosine: cosine / size };
}

/** States of the document's rows less the bare ones, row after row. */
function shiftOf(seen: Seen, bare: Seen, layer: number): Float32Array {
  const rowsOf = ({ probed, spans }: Seen) => {
    const { data, width } = probed.hidden.get(layer)!;
    return data.subarray(spans.document!.start * width, spans.document!.end * width);
  };
  const before = rowsOf(bare);
  return rowsOf(seen).map((value, i) => value - before[i]!);
}
