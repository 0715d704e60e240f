import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insideTheEncoder } from '../../src/experiments/catalogue/inside-the-encoder.js';
import { layersOf } from '../../src/experiments/run/probe.js';
import { runExperiment } from '../../src/experiments/run/run.js';
import { present } from '../../src/priming/condition.js';
import { WIDE } from '../../src/report/figures/draw.js';
import { attentionHeatMap, probePlot } from '../../src/report/figures/probe.js';
import { isProbe } from '../../src/runs/schema/entry.js';
import type { ProbeSummary } from '../../src/runs/schema/probe.js';
import { datasetOf } from '../../src/samples/dataset.js';
import { loadModel, type Model } from '../../src/scoring/load-model.js';
import { referenceFixture, temporaryFolder } from '../support/fixtures.js';
import { entriesIn } from '../support/journal.js';

const samples = Array.from({ length: 6 }, (_, i) => ({
  id: `s${i}`,
  document: `The lamp number ${i} costs ${i + 3} euros and is ${i % 2 ? 'green' : 'black'}.`,
  query: 'How much is the lamp?',
  answer: `${i + 3} euros`,
}));
const data = datasetOf({ name: 'lamps', revision: '1', licence: 'Apache-2.0', selection: 'all' }, samples);

let model: Model;
beforeAll(async () => {
  model = await loadModel(referenceFixture('text'), { batchTokens: 256 });
});
afterAll(() => model.close());

async function probed(): Promise<{ probe: ProbeSummary; directory: string }> {
  const directory = await temporaryFolder();
  const summary = await runExperiment(insideTheEncoder, data, model, { directory, resume: true, maxTokens: 512 });
  return { probe: summary.probe!, directory };
}

describe('a probe', () => {
  it('finds what a plain computation from attention and states finds', async () => {
    const { directory } = await probed();
    const trials = (await entriesIn(directory)).filter(isProbe);
    expect(trials).toHaveLength(6 * 4);
    for (const { sample, condition, prefix } of trials) {
      expect(prefix === undefined, `${sample} ${condition}`).toBe(condition === 'bare');
    }
    const own = trials.find(({ sample, condition }) => sample === 's2' && condition === 'oracle')!;
    const layer = own.layers.at(-1)!;
    const { document, query } = samples[2]!;
    expect(own.prefix).toBe(query);
    const [bare, primed] = [undefined, query].map((prefix) =>
      present(model.tokenizer, { visibility: 'exact' }, document, prefix, { maxTokens: 512 }),
    );
    const wanted = { attention: [layer.layer], hidden: [layer.layer] };
    const seen = await model.engine.probe([bare!.item, primed!.item], wanted);
    const rows = (at: 0 | 1) => [bare, primed][at]!.item.tokenIds.length;
    const spans = [bare!.input.spans, primed!.input.spans];
    const attention = (at: 0 | 1, head: number, row: number, column: number) =>
      seen[at]!.attention.get(layer.layer)![(head * rows(at) + row) * rows(at) + column]!;
    const heads = seen[1]!.attention.get(layer.layer)!.length / rows(1) ** 2;
    const length = spans[1]!.document!.end - spans[1]!.document!.start;
    let [toPrefix, entropy, divergence, shift] = [0, 0, 0, 0];
    for (let row = 0; row < length; row++) {
      const [before, after] = [spans[0]!.document!.start, spans[1]!.document!.start];
      for (let head = 0; head < heads; head++) {
        let [p, q] = [0, 0];
        for (let column = 0; column < rows(1); column++) {
          const share = attention(1, head, after + row, column);
          if (column >= spans[1]!.prefix!.start && column < spans[1]!.prefix!.end) toPrefix += share;
          if (share > 0) entropy -= share * Math.log(share);
        }
        for (let column = 0; column < length; column++) {
          p += attention(0, head, before + row, before + column);
          q += attention(1, head, after + row, after + column);
        }
        for (let column = 0; column < length; column++) {
          const a = attention(0, head, before + row, before + column) / p;
          divergence += a > 0 ? a * Math.log(a / (attention(1, head, after + row, after + column) / q)) : 0;
        }
      }
      const width = seen[0]!.states.width;
      const state = (at: 0 | 1, start: number, i: number) =>
        seen[at]!.hidden.get(layer.layer)!.data[(start + row) * width + i]!;
      let squares = 0;
      for (let i = 0; i < width; i++) squares += (state(1, after, i) - state(0, before, i)) ** 2;
      shift += Math.sqrt(squares);
    }
    const lines = heads * length;
    expect(layer.measures.to_prefix).toBeCloseTo(toPrefix / lines, 5);
    expect(layer.measures.entropy).toBeCloseTo(entropy / lines, 5);
    expect(layer.measures.divergence).toBeCloseTo(divergence / lines, 5);
    expect(layer.measures.shift).toBeCloseTo(shift / length, 4);
  });

  it('accounts for all attention, and compares the oracle with itself', async () => {
    const { probe } = await probed();
    expect(probe.samples).toBe(6);
    const value = (condition: string, measure: string, layer: number) =>
      probe.conditions.find(({ name }) => name === condition)!.measures.find(({ name }) => name === measure)!.by_layer[
        layer
      ]?.value;
    for (const layer of probe.layers.keys()) {
      for (const { name } of probe.conditions) {
        const regions = ['to_bos', 'to_prefix', 'to_separator', 'to_document'];
        const sum = regions.reduce((all, region) => all + (value(name, region, layer) ?? 0), 0);
        expect(sum).toBeCloseTo(1, 5);
      }
      expect(value('bare', 'to_prefix', layer)).toBeUndefined();
      expect(value('bare', 'shift', layer)).toBeUndefined();
      expect(value('oracle', 'cosine', layer)).toBeCloseTo(1, 6);
      expect(value('the', 'cosine', layer)!).toBeLessThan(1);
      expect(value('the', 'divergence', layer)!).toBeGreaterThan(0);
    }
  });

  it('knows the regions that inputs have: no BOS, but an end of text', async () => {
    const { tokenizer } = model;
    const after = [1];
    const framed: Model = {
      ...model,
      tokenizer: {
        ...tokenizer,
        frame: { before: [], after },
        encodeFramed: (text) => Int32Array.from([...tokenizer.encode(text), ...after]),
      },
    };
    const directory = await temporaryFolder();
    const { probe } = await runExperiment(insideTheEncoder, data, framed, { directory, resume: true, maxTokens: 512 });
    for (const { measures } of probe!.conditions) {
      expect(measures.map(({ name }) => name).filter((name) => name.startsWith('to_'))).toEqual([
        'to_prefix',
        'to_separator',
        'to_document',
        'to_eos',
      ]);
      for (const layer of probe!.layers.keys()) {
        const shares = measures.filter(({ name }) => name.startsWith('to_')).map(({ by_layer }) => by_layer[layer]);
        expect(shares.reduce((sum, share) => sum + (share?.value ?? 0), 0)).toBeCloseTo(1, 5);
      }
    }
    expect(attentionHeatMap(probe!, WIDE).svg).toContain('end of text');
  });

  it('is the same when it is resumed', async () => {
    const { directory } = await probed();
    const before = await readFile(path.join(directory, 'summary.json'), 'utf8');
    await runExperiment(insideTheEncoder, data, model, { directory, resume: true, maxTokens: 512 });
    expect(await readFile(path.join(directory, 'summary.json'), 'utf8')).toBe(before);
  });

  it('reads the layers asked for, or all of a model that lacks some', () => {
    const wanted = { attention: [0, 5], hidden: [7] };
    expect(layersOf(wanted, 8)).toEqual(wanted);
    expect(layersOf(wanted, 7)).toEqual({ attention: [0, 1, 2, 3, 4, 5, 6], hidden: [0, 1, 2, 3, 4, 5, 6] });
  });

  it('draws where attention goes, one panel a condition, one cell a region and layer', async () => {
    const { probe } = await probed();
    const { svg } = attentionHeatMap(probe, WIDE);
    const { document } = parseHTML(`<body>${svg}</body>`);
    const cells = [...document.querySelectorAll('text')].map(({ textContent }) => textContent);
    const shares = probe.conditions.flatMap(({ measures }) =>
      measures
        .filter(({ name }) => name.startsWith('to_'))
        .flatMap(({ by_layer }) => by_layer.flatMap((e) => e?.value ?? [])),
    );
    // Bare has no prefix and no line break.
    expect(shares).toHaveLength(probe.layers.length * (2 + 3 * 4));
    expect(cells.filter((text) => text?.endsWith('%'))).toHaveLength(shares.length);
    const [oracle] = probe.conditions.filter(({ name }) => name === 'oracle');
    const first = oracle!.measures.find(({ name }) => name === 'to_document')!.by_layer[0]!.value!;
    expect(cells).toContain(`${(100 * first).toFixed(first < 0.1 ? 1 : 0)}%`);
    expect(document.querySelectorAll('rect')).toHaveLength(shares.length);
    for (const drawn of [svg, probePlot(probe, WIDE).svg]) {
      expect(drawn).toMatch(/<title>(prefix\n)?oracle, layer \d\n[\d.]+/);
    }
  });
});
