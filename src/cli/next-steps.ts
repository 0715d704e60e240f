/** The commands to go on with behind a run. */
import path from 'node:path';
import { shellWord } from '../base/shell-word.js';
import type { Summary } from '../runs/schema/summary.js';

/** @param folder of the run */
export function nextSteps({ configuration: { experiment, model } }: Summary, folder: string): string {
  const named = model.built_in ? '' : ` --model ${shellWord(model.name)}`;
  const steps: [command: string, what: string][] = [
    [`npx dkv demo${named}`, 'one document of yours: what the model says of it, primed and not'],
    [
      `npx dkv run ${shellWord(experiment.id)}${named} --dataset FILE.csv --columns document=... query=... answer=... --out FOLDER`,
      'the same on data of yours',
    ],
    [
      `npx dkv report ${shellWord(path.relative('.', folder) || '.')} --format ipynb`,
      'the same numbers as a notebook, from the trials',
    ],
  ];
  return `Go on with:\n${steps.map(([command, what]) => `  ${command}\n      ${what}\n`).join('')}`;
}
