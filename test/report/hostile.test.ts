/** Names and texts of all characters: every report stays readable, and none of them reaches who reads it as a control. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { prefixContent } from '../../src/experiments/catalogue/prefix-content.js';
import { surrogateSweep } from '../../src/experiments/catalogue/surrogate-sweep.js';
import { writeReports } from '../../src/report/report.js';
import type { Experiment } from '../../src/runs/schema/experiment.js';
import { temporaryFolder } from '../support/fixtures.js';
import { madeRun, writeRun } from './made-run.js';

/** NUL, escape, carriage return, bell, C1, an override of direction, half a character, a noncharacter, and what markup is made of. */
const HOSTILE = ` \0\x1b[31m\r\x07\x9b2J\u202e\ud83d\uffff\u00a0<b>&"']]>--><!--`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: They are what is looked for.
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\uffff\ufffd]/;

function hostile(experiment: Experiment): Experiment {
  let json = JSON.stringify(experiment);
  for (const { name } of experiment.conditions) {
    json = json.replaceAll(JSON.stringify(name), () => JSON.stringify(name + HOSTILE));
  }
  const renamed = JSON.parse(json) as Experiment;
  return { ...renamed, title: `Title${HOSTILE}`, question: `Why?${HOSTILE}` };
}

describe('reports of names and texts of all characters', () => {
  it.each([surrogateSweep, prefixContent])('$id', async (experiment) => {
    const texts = { query: HOSTILE, answer: HOSTILE, document: HOSTILE, target: [HOSTILE] };
    const directory = await temporaryFolder();
    const run = madeRun(hostile(experiment), { samples: 12, texts, tokens: 1, dataset: `data${HOSTILE}` });
    await writeRun(directory, run);
    await writeReports(directory, run.summary, { formats: ['html', 'md', 'ipynb', 'tex', 'svg', 'png'] });
    const names = await readdir(directory, { recursive: true });
    const written = names.filter((name) => /\.(html|md|ipynb|tex|svg|txt)$/.test(name));
    expect(new Set(written.map((name) => path.extname(name))).size).toBe(6);
    for (const name of written) {
      const content = await readFile(path.join(directory, name), 'utf8');
      // Which file it is, if it fails.
      expect([name, CONTROLS.exec(content)?.[0]]).toEqual([name, undefined]);
      // A strict reader of XML.
      if (name.endsWith('.svg')) expect(() => new Resvg(content)).not.toThrow();
      if (name.endsWith('.ipynb')) expect(JSON.parse(content).cells.length).toBeGreaterThan(2);
    }
    const html = await readFile(path.join(directory, 'report.html'), 'utf8');
    for (const [svg] of html.matchAll(/<svg[\s\S]*?<\/svg>(?=<figcaption)/g)) {
      expect(() => new Resvg(svg)).not.toThrow();
    }
    const { document } = parseHTML(html);
    expect(document.querySelectorAll('b')).toHaveLength(0);
    expect(document.querySelector('h1')!.textContent).toContain('Title \\u0000\\u001b[31m');
  });
});
