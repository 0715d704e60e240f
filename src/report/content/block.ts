/** The parts that a report is put together from, as data. The forms render each kind in their own way. */
import { type Drawing, type Frame, NARROW, WIDE } from '../figures/draw.js';
import type { Table } from '../tables/table.js';

export interface TextBlock {
  readonly kind: 'text';
  readonly text: string;
  /** True for a remark about how numbers were made. */
  readonly note?: boolean;
}

export interface TableBlock {
  readonly kind: 'table';
  /** The name of the table's file. */
  readonly name: string;
  readonly title: string;
  readonly table: Table;
  /** True for a part that HTML folds until the reader opens it. */
  readonly folded?: boolean;
}

export interface FigureBlock {
  readonly kind: 'figure';
  /** The name of the figure's file. */
  readonly name: string;
  readonly caption: string;
  readonly drawing: Drawing;
  /** Draws the figure for a small screen. */
  readonly narrow: () => Drawing;
}

export interface ListBlock {
  readonly kind: 'list';
  readonly items: readonly string[];
}

export type Block = TextBlock | TableBlock | FigureBlock | ListBlock;

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export const note = (text: string): TextBlock => ({ kind: 'text', text, note: true });
export const paragraph = (text: string): TextBlock => ({ kind: 'text', text });
export const table = (name: string, title: string, content: Table, folded = false): TableBlock => ({
  kind: 'table',
  name,
  title,
  table: content,
  ...(folded && { folded }),
});
export const figure = (name: string, caption: string, drawn: (frame: Frame) => Drawing): FigureBlock => ({
  kind: 'figure',
  name,
  caption,
  drawing: drawn(WIDE),
  narrow: () => drawn(NARROW),
});
