/** The results log on a terminal: the columns that fit into its width. */
import { ABOUT_BUILT_IN, type LoggedRun, logTable, type ResultsLog } from './log.js';
import { renderText, type Table } from './tables/table.js';

/** The columns, those that say most first. */
const BY_WEIGHT = [
  'folder',
  'effect [95%]',
  'N',
  'smoke run',
  'primary comparison',
  'model',
  'same samples as',
  'date',
  'd, nominal',
  'trimmed mean [95%]',
  'dataset',
  'experiment',
];

/** @param width of the terminal, in characters */
export function logText({ runs, unread }: ResultsLog, width: number): string {
  const part = (title: string, shown: readonly LoggedRun[]) =>
    shown.length === 0 ? [] : [title, renderText(fitted(logTable(shown), width))];
  const parts = [
    ...part(
      'Pretrained models',
      runs.filter(({ builtIn }) => !builtIn),
    ),
    ...part(
      `The built-in model. ${ABOUT_BUILT_IN}`,
      runs.filter(({ builtIn }) => builtIn),
    ),
    ...(runs.length === 0 ? ['No finished runs.'] : []),
    ...unread.map(({ folder, reason }) => `Not read: ${folder || '.'}: ${reason}`),
    'The effect is that of the comparison named before the run, positive is better. All columns: --markdown, or --output FILE.',
  ];
  return `${parts.join('\n\n')}\n`;
}

/** As many columns as the width has room for, the weightiest first. */
function fitted({ columns, rows }: Table, width: number): Table {
  const widthOf = (i: number) =>
    Math.max(...[columns[i]!.title, ...rows.map((row) => row[i]!)].map((x) => [...x].length));
  const kept: number[] = [];
  let room = width + 2;
  for (const name of BY_WEIGHT) {
    const i = columns.findIndex(({ title }) => title === name);
    room -= widthOf(i) + 2;
    if (room < 0) break;
    kept.push(i);
  }
  return { columns: kept.map((i) => columns[i]!), rows: rows.map((row) => kept.map((i) => row[i]!)) };
}
