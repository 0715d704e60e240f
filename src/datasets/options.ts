/** What can be said about how a dataset is opened, beside its name and what is asked of it. */
import type { RemoteOptions } from '../hub/remote-data.js';
import type { HubSettings } from '../hub/settings.js';

/** What a column can be to us. */
export const ROLES = ['document', 'query', 'answer', 'id', 'title', 'cluster', 'pool', 'grade'] as const;

export type Role = (typeof ROLES)[number];

/**
 * Which column plays a role, where it does not have the role's name. `answers.text.0` leads into lists and structs, unless a column has
 * that very name.
 */
export type Columns = { readonly [role in Role]?: string };

/** How a file of separated text is to be read, where it is not as its name says. */
export interface TextForm {
  /** Between fields; a comma in `.csv` files and a tab in `.tsv` files when left out. */
  readonly separator?: string;
  /** `csv`: fields in double quotes, as in RFC 4180; `none`: a quote is text. By the name of the file when left out. */
  readonly quoting?: 'csv' | 'none';
  /** The names of the columns, where the first line is not their header but a row. */
  readonly header?: readonly string[];
}

const SEPARATORS: Readonly<Record<string, string>> = { comma: ',', semicolon: ';', tab: '\t', pipe: '|' };

/** Names of separators that are taken for them, beside any one character. */
export const SEPARATOR_NAMES = Object.keys(SEPARATORS);

/** The character that is meant by a name, or by itself; undefined for what can be none. */
export function separatorOf(text: string): string | undefined {
  const found = text === '\\t' ? '\t' : (SEPARATORS[text] ?? text);
  return [...found].length === 1 && !/["\r\n]/.test(found) ? found : undefined;
}

export interface OpenOptions extends RemoteOptions, TextForm {
  /** Where the hub is and where its cache lies; by the environment when left out. */
  readonly hub?: HubSettings;
  /** Branch, tag or commit of a dataset on the hub; `main` when left out. */
  readonly revision?: string;
  /** For files of the user's own. */
  readonly columns?: Columns;
  /** Called now and then with the rows that were read so far. */
  readonly onRows?: (rows: number) => void;
}
