import { Script } from 'node:vm';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { surrogateSweep } from '../../src/experiments/catalogue/surrogate-sweep.js';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { type ReaderData, readerData, readerPart } from '../../src/report/formats/sample-reader.js';
import { READER_SCRIPT } from '../../src/report/formats/sample-reader-script.js';
import type { FinishedRun } from '../../src/runs/schema/run.js';
import { type MadeRun, madeTrials } from './made-run.js';

const HOSTILE = {
  document: 'A </script><script>alert(1)</script> & "quotes" \u2028 שלום <!-- ]]>',
  query: '<img onerror=alert(1)>',
  answer: "it's </style>",
  target: ['</script>', ' & ', '"', 'שלום', '\n'],
};

/** The browser reads no statistics. */
function run(options: MadeRun, experiment = truncation): FinishedRun {
  const { configuration, trials, samples } = madeTrials(experiment, options);
  return { summary: { configuration }, trials, samples } as unknown as FinishedRun;
}

function decoded({ nlls, samples, conditions }: ReaderData): number[][][] {
  const bytes = Buffer.from(nlls, 'base64');
  let at = 0;
  return samples.map(({ n }) =>
    conditions.map(() => Array.from({ length: n }, () => bytes.readUInt16LE(2 * at++) / 1000)),
  );
}

describe('the reader of samples', () => {
  it('holds every NLL to a thousandth, largest gain of the primary comparison first', () => {
    const made = run({ samples: 30 });
    const data = readerData(made, false);
    expect(data.conditions[data.first[0]]).toBe('surr_doc_d');
    expect(data.conditions[data.first[1]]).toBe('bare_d');
    const nlls = decoded(data);
    const gains = nlls.map((sample) => {
      const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
      return mean(sample[data.first[1]]!) - mean(sample[data.first[0]]!);
    });
    for (const [i, gain] of gains.slice(1).entries()) expect(gain).toBeLessThanOrEqual(gains[i]! + 0.002);
    for (const [s, { id }] of data.samples.entries()) {
      for (const [c, condition] of data.conditions.entries()) {
        const trial = made.trials.find((t) => t.sample === id && t.condition === condition)!;
        for (const [t, nll] of trial.token_nlls.entries()) expect(nlls[s]![c]![t]).toBeCloseTo(nll, 2.9);
      }
    }
  });

  it('lets no text out of the data', () => {
    const html = readerPart(run({ samples: 5, texts: HOSTILE, tokens: 5 }), { noText: false });
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(html).not.toContain('<img');
    const { document } = parseHTML(`<!doctype html><html><body>${html}</body></html>`);
    expect(document.querySelectorAll('script')).toHaveLength(2);
    const data: ReaderData = JSON.parse(document.querySelector('#reader-data')!.textContent!);
    expect(data.samples[0]).toMatchObject(HOSTILE);
  });

  it('has a script that is well formed and writes no HTML', () => {
    expect(() => new Script(READER_SCRIPT)).not.toThrow();
    expect(READER_SCRIPT).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|eval/);
  });

  it('shows help and harm in turn before the reader chooses', () => {
    const [, inTurn] = /const inTurn = (.*);/.exec(READER_SCRIPT)!;
    const order = new Script(inTurn!).runInNewContext({}) as (sorted: number[]) => number[];
    expect([[], [3], [3, 1], [3, 2, 1, 0, -1]].map((gains) => [...order(gains)])).toEqual([
      [],
      [3],
      [3, 1],
      [3, -1, 2, 0, 1],
    ]);
  });

  it('does without texts', () => {
    const withTexts = run({ samples: 5, texts: HOSTILE, tokens: 5 });
    for (const part of [readerPart(withTexts, { noText: true }), readerPart(run({ samples: 5 }), { noText: false })]) {
      expect(part).toContain('texts are not in this report');
      expect(part).not.toContain('שלום');
      expect(part).toContain('s0004');
    }
  });

  it('keeps 500 samples of 26 conditions small, and says when it shows fewer than there are', () => {
    const texts = { ...HOSTILE, document: 'word '.repeat(90), target: Array.from({ length: 30 }, () => ' token') };
    const usual = run({ samples: 500, texts, tokens: 30 }, surrogateSweep);
    expect(usual.summary.configuration.experiment.conditions).toHaveLength(26);
    const part = readerPart(usual, { noText: false });
    expect(readerData(usual, false).samples).toHaveLength(500);
    expect(part.length).toBeLessThan(4e6);
    const large = run(
      { samples: 500, texts: { ...texts, document: 'word '.repeat(5000) }, tokens: 90 },
      surrogateSweep,
    );
    const data = readerData(large, false);
    expect(data.samples.length).toBeGreaterThan(100);
    expect(data.samples.length).toBeLessThan(500);
    expect(data.samples[0]!.cut).toBe(true);
    const shown = readerPart(large, { noText: false });
    expect(shown.length).toBeLessThan(4.2e6);
    expect(shown).toContain(`${data.samples.length} of 500 samples`);
  });
});
