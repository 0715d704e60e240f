import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { writeReports } from '../../src/report/report.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeRun, writeRun } from './made-run.js';

interface Cell {
  readonly cell_type: string;
  readonly id: string;
  readonly metadata: object;
  readonly source: string[];
  readonly execution_count?: number;
  readonly outputs?: {
    output_type: string;
    name?: string;
    text?: string[];
    data?: Record<string, string[]>;
    metadata?: object;
  }[];
}

async function notebookOf(): Promise<{ directory: string; cells: Cell[]; rest: object }> {
  const directory = await temporaryFolder();
  const run = madeRun(truncation);
  await writeReports(directory, await writeRun(directory, run), { formats: ['ipynb'] });
  const { cells, ...rest } = JSON.parse(await readFile(path.join(directory, 'notebook.ipynb'), 'utf8'));
  return { directory, cells, rest };
}

describe('notebook', () => {
  it('has the structure of nbformat 4.5', async () => {
    const { cells, rest } = await notebookOf();
    expect(rest).toMatchObject({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: 'python3' } } });
    expect(new Set(cells.map(({ id }) => id)).size).toBe(cells.length);
    let executed = 0;
    for (const cell of cells) {
      expect(cell.id).toMatch(/^[a-zA-Z0-9-_]{1,64}$/);
      expect(cell.metadata).toBeTypeOf('object');
      expect(cell.source.every((line) => typeof line === 'string')).toBe(true);
      expect(cell.source.slice(0, -1).every((line) => line.endsWith('\n'))).toBe(true);
      if (cell.cell_type === 'markdown') {
        expect(Object.keys(cell).sort()).toEqual(['cell_type', 'id', 'metadata', 'source']);
        continue;
      }
      expect(cell.cell_type).toBe('code');
      expect(cell.execution_count).toBe(++executed);
      for (const output of cell.outputs!) {
        if (output.output_type === 'stream') expect(output).toMatchObject({ name: 'stdout', text: expect.any(Array) });
        else {
          expect(output).toMatchObject({ output_type: 'display_data', metadata: {} });
          expect(Object.keys(output.data!)).toContain('text/plain');
        }
      }
    }
  });

  it('shows the files beside it, and prints what its Python computes', async () => {
    const { directory, cells } = await notebookOf();
    let shown = 0;
    for (const { source, outputs = [] } of cells) {
      const name = /^show\("(.+)"\)$/.exec(source.join(''))?.[1];
      if (!name) continue;
      shown++;
      const file = await readFile(path.join(directory, name), 'utf8');
      const { data } = outputs[0]!;
      expect(data![name.endsWith('.svg') ? 'image/svg+xml' : 'text/html']!.join('')).toBe(file);
      if (name.endsWith('.html')) {
        const plain = await readFile(path.join(directory, name.replace('.html', '.txt')), 'utf8');
        expect(data!['text/plain']!.join('')).toBe(plain);
      }
    }
    expect(shown).toBeGreaterThan(8);
    const printed = cells.flatMap(({ outputs = [] }) => outputs.flatMap(({ text = [] }) => text));
    expect(printed[0]).toBe(`${40 * truncation.conditions.length} trials of 40 samples\n`);
    // The gains of the summary, recomputed.
    const { summary } = madeRun(truncation);
    expect(printed).toContain(`${summary.comparisons.length} means of summary.json are those of the trials\n`);
    for (const { treatment, baseline, gain } of summary.comparisons) {
      const mean = `+${gain.mean.value!.toFixed(4)}`.padStart(8);
      const wins = String(Math.round(gain.win.value! * 40)).padStart(6);
      expect(printed).toContain(
        `${treatment.padEnd(32)} ${baseline.padEnd(16)} ${mean} ${`+${gain.d.value!.toFixed(3)}`.padStart(7)} ${wins}\n`,
      );
    }
  });
});
