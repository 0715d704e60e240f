/** Tables as data, and their three renderings: terminal, Markdown, HTML. */
import { printable } from '../../base/printable.js';

export interface Column {
  readonly title: string;
  /** True for a column of numbers, which are aligned to the right. */
  readonly numeric: boolean;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export const text = (title: string): Column => ({ title, numeric: false });
export const number = (title: string): Column => ({ title, numeric: true });

export function renderText({ columns, rows }: Table): string {
  const cells = [columns.map(({ title }) => title), ...rows].map((row) => row.map(oneLine));
  const widths = columns.map((_, i) => Math.max(...cells.map((row) => [...row[i]!].length)));
  const pad = (cell: string, i: number) => {
    const space = ' '.repeat(widths[i]! - [...cell].length);
    return columns[i]!.numeric ? space + cell : cell + space;
  };
  const lines = cells.map((row) => row.map(pad).join('  ').trimEnd());
  const rule = '─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

export function renderMarkdown({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title)),
    `|${columns.map(({ numeric }) => (numeric ? ' ---: |' : ' --- |')).join('')}`,
    ...rows.map(line),
  ].join('\n');
}

/** Makes a cell one line, whatever stands in it. */
function oneLine(text: string): string {
  return printable(text.replace(/\s+/g, ' '));
}

/** Text on one line that Markdown shows as it is, also in a table's cell. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replace(/[\\|*`]/g, '\\$&')
    .replaceAll('<', '&lt;');
}

/** @param links addresses that the last cells of the rows lead to; none for a row without */
export function renderHtml({ columns, rows }: Table, links: readonly (string | undefined)[] = []): string {
  const cell = (tag: string, text: string, i: number) =>
    `<${tag}${columns[i]!.numeric ? ' class="number"' : ''}>${i === 0 ? breakable(escapeHtml(text)) : escapeHtml(text)}</${tag}>`;
  const head = columns.map(({ title }, i) => cell('th', title, i)).join('');
  const linked = (row: readonly string[], r: number) => {
    const cells = row.map((text, i) => cell('td', text, i));
    const [last, link] = [cells.at(-1), links[r]];
    if (last === undefined || link === undefined) return cells.join('');
    return [
      ...cells.slice(0, -1),
      last.replace(/>(.*)</s, (_, text) => `><a href="${escapeHtml(link)}">${text}</a><`),
    ].join('');
  };
  const body = rows.map((row, r) => `<tr>${linked(row, r)}</tr>`).join('\n');
  return `<table><thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody></table>`;
}

/** Names of conditions may break between their parts, for the narrow column that stays in view. */
function breakable(html: string): string {
  return html.replace(/(?<=\w)_(?=\w)/g, '_<wbr>').replace(/(?<=\w)@(?=\w)/g, '<wbr>@');
}

export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return printable(text).replace(/[&<>"']/g, (character) => entities[character]!);
}
