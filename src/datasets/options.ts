/** What can be said about how a dataset is opened, beside its name and what is asked of it. */
import type { RemoteOptions } from '../hub/remote-data.js';
import type { HubSettings } from '../hub/settings.js';

/** The roles that a column can play. */
export const ROLES = ['document', 'query', 'answer', 'id', 'title', 'cluster', 'pool', 'grade'] as const;

export type Role = (typeof ROLES)[number];

/**
 * The column that plays each role, where it does not have the role's name. A path such as `answers.text.0` leads into lists and structs, unless a
 * column has that very name.
 */
export type Columns = { readonly [role in Role]?: string };

/** How a file of separated text is read, where its name does not say it. */
export interface TextForm {
  /** The separator between fields. By default a comma in `.csv` files and a tab in `.tsv` files. */
  readonly separator?: string;
  /** How quotes are read: `csv` means fields in double quotes as in RFC 4180; with `none` a quote is text. By default the file's name decides. */
  readonly quoting?: 'csv' | 'none';
  /** The names of the columns, for a file whose first line is a row and not a header. */
  readonly header?: readonly string[];
}

const SEPARATORS: Readonly<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/** The names of separators that may be given in place of the character. */
export const SEPARATOR_NAMES = Object.keys(SEPARATORS);

/** The separator that a name, or a single character, stands for; undefined for a text that cannot be one. */
export function separatorOf(text: string): string | undefined {
  const found = text === '\\t' ? '\t' : (SEPARATORS[text] ?? text);
  return [...found].length === 1 && !/["\r\n]/.test(found) ? found : undefined;
}

/** The name of a separator where it has one, and otherwise itself. */
export function separatorName(separator: string): string {
  return SEPARATOR_NAMES.find((name) => SEPARATORS[name] === separator) ?? separator;
}

export interface OpenOptions extends RemoteOptions, TextForm {
  /** The hub's address and the folder of its cache. By default the environment says both. */
  readonly hub?: HubSettings;
  /** The branch, tag or commit of a dataset on the hub; `main` by default. */
  readonly revision?: string;
  /** The columns of the user's own file, by role. */
  readonly columns?: Columns;
  /** This callback is called now and then with the number of rows read so far. */
  readonly onRows?: (rows: number) => void;
}
