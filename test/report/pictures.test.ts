import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { truncation } from '../../src/experiments/catalogue/truncation.js';
import { signed, withInterval } from '../../src/report/words/format.js';
import { annotatedPicture } from '../../tools/pictures/annotated.js';
import { pictures } from '../../tools/pictures/make.js';
import { madeRun } from './made-run.js';

describe('the pictures of README and docs', () => {
  it('are those of the committed run: npx tsx tools/pictures/make.ts', async () => {
    for (const [name, picture] of Object.entries(await pictures())) {
      expect(picture.length, name).toBeLessThan(150_000);
      expect(await readFile(path.resolve('docs', name), 'utf8'), name).toBe(picture);
    }
  });

  it('point at the marks of the primary comparison and say its numbers', () => {
    const { summary } = madeRun(truncation, { samples: 12 });
    const { gain } = summary.comparisons.find(({ treatment }) => treatment === 'surr_doc_d')!;
    const svg = annotatedPicture(summary);
    const nats = (x: number | null) => signed(x, 3);
    expect(svg).toContain(`mean gain, ${nats(gain.mean.value)} nats a token. Right of 0`);
    expect(svg).toContain(`95% interval, ${withInterval(gain.mean, nats).split(' ').slice(1).join(' ')}.`);
    const { document } = parseHTML(`<body>${svg}</body>`);
    const circles = [...document.querySelectorAll('circle[r="9"]')];
    expect(circles).toHaveLength(12);
    const xs = circles.slice(0, 6).map((circle) => Number(circle.getAttribute('cx')));
    expect(xs.every((x) => x > 0 && x < 894)).toBe(true);
    const [, mean, high, , zero] = xs as [number, number, number, number, number];
    expect([mean > zero, high > mean]).toEqual([gain.mean.value! > 0, true]);
  });
});
