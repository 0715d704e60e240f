/** How a file of one's own is read, for the commands that take one. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { separatorOf, type TextForm } from '../datasets/options.js';

export interface TableOptions {
  readonly separator?: string;
  readonly quoting?: 'csv' | 'none';
  readonly header?: readonly string[];
}

export function addTableOptions(command: Command): Command {
  return command
    .option(
      '--separator <what>',
      'between the fields of .csv and .tsv files: comma, semicolon, tab, pipe or a character',
      separator,
    )
    .addOption(
      new Option(
        '--quoting <how>',
        'csv: fields in double quotes (default for .csv); none: a quote is text (default for .tsv)',
      ).choices(['csv', 'none']),
    )
    .option('--header <names>', 'the columns of a .csv or .tsv file whose first line is a row, such as id,text', names);
}

export function textForm({ separator, quoting, header }: TableOptions): TextForm {
  return { ...(separator && { separator }), ...(quoting && { quoting }), ...(header && { header }) };
}

function separator(text: string): string {
  const found = separatorOf(text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError('Expected comma, semicolon, tab, pipe or one character.');
}

function names(list: string): string[] {
  const found = list.split(',').map((name) => name.trim());
  if (found.every((name) => name !== '') && new Set(found).size === found.length) return found;
  throw new InvalidArgumentError('Expected different names, separated by commas.');
}
