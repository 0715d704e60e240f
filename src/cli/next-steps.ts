/** The commands to go on with behind a run. */
import path from 'node:path';
import { shellWord } from '../base/shell-word.js';
import type { Summary } from '../runs/schema/summary.js';

/** What the command line asked to be run. */
export interface AskedRun {
  /** The experiment's name, or the file that it is in. */
  readonly name: string;
  /** The model by the name that it was opened by. */
  readonly model: string;
  /** True where the experiment's file names the model. */
  readonly modelOfFile: boolean;
}

/** @param folder of the run */
export function nextSteps({ configuration }: Summary, folder: string, { name, model, modelOfFile }: AskedRun): string {
  const named = configuration.model.built_in ? '' : ` --model ${shellWord(model)}`;
  const steps: [command: string, what: string][] = [
    [`npx dkv demo${named}`, 'one document of yours: what the model says of it, primed and not'],
    [
      `npx dkv run ${shellWord(name)}${modelOfFile ? '' : named} --dataset FILE.csv --columns document=... query=... answer=... --out FOLDER`,
      'the same on data of yours',
    ],
    [
      `npx dkv report ${shellWord(path.relative('.', folder) || '.')} --format ipynb`,
      'the same numbers as a notebook, from the trials',
    ],
  ];
  return `Go on with:\n${steps.map(([command, what]) => `  ${command}\n      ${what}\n`).join('')}`;
}
