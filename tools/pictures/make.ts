/**
 * Makes the pictures of README and docs again, from the committed run of exp01:
 *
 *     npx tsx tools/pictures/make.ts
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { WIDE } from '../../src/report/figures/draw.js';
import { effectPlot } from '../../src/report/figures/effects.js';
import { markOf, printSvg } from '../../src/report/formats/images.js';
import { gainGroups } from '../../src/report/tables/gains.js';
import { readSummary } from '../../src/runs/run-folder.js';
import { annotatedPicture } from './annotated.js';
import { ideaPicture } from './idea.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** The pictures by their names in `docs`. */
export async function pictures(): Promise<Record<string, string>> {
  const { summary } = await readSummary(path.join(ROOT, 'results/built-in/exp01'));
  return {
    'idea.svg': ideaPicture(),
    'report.svg': printSvg(
      effectPlot(
        summary,
        gainGroups(summary).filter(({ hasOwnScale }) => !hasOwnScale),
        WIDE,
      ),
      markOf(summary),
    ),
    'reading-a-report.svg': annotatedPicture(summary),
  };
}

export async function makePictures(): Promise<void> {
  for (const [name, picture] of Object.entries(await pictures())) {
    await writeFile(path.join(ROOT, 'docs', name), picture);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await makePictures();
