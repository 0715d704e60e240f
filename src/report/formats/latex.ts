/** Tables as LaTeX, to be taken into a paper with \input. */
import { printable } from '../../base/printable.js';
import type { TableBlock } from '../content/block.js';

/** The number of rows above which a table breaks over pages. */
const ROWS_OF_A_PAGE = 45;

/** @param remark what a reader must know before any number */
export function latexTable({ name, title, table: { columns, rows } }: TableBlock, remark: string): string {
  const shape = columns.map(({ numeric }) => (numeric ? 'r' : 'l')).join('');
  const line = (cells: readonly string[]) => `${cells.map(escapeLatex).join(' & ')} \\\\`;
  const head = line(columns.map(({ title }) => title));
  const caption = `\\caption{${escapeLatex(remark === '' ? title : `${title}. ${remark}`)}}\\label{tab:${name}}`;
  const body = rows.map(line);
  const lines =
    rows.length > ROWS_OF_A_PAGE
      ? [
          '{\\footnotesize',
          `\\begin{longtable}{${shape}}`,
          `${caption} \\\\`,
          '\\toprule',
          head,
          '\\midrule \\endfirsthead',
          '\\toprule',
          head,
          '\\midrule \\endhead',
          '\\bottomrule \\endfoot',
          ...body,
          '\\end{longtable}}',
        ]
      : [
          '\\begin{table}',
          '\\centering\\footnotesize',
          caption,
          // Wider tables are made as wide as the text.
          `\\begin{adjustbox}{max width=\\textwidth}`,
          `\\begin{tabular}{${shape}}`,
          '\\toprule',
          head,
          '\\midrule',
          ...body,
          '\\bottomrule',
          '\\end{tabular}',
          '\\end{adjustbox}',
          '\\end{table}',
        ];
  return `% Needs: \\usepackage{booktabs,longtable,adjustbox,textcomp}\n${lines.join('\n')}\n`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '{': '\\{',
  '}': '\\}',
  '&': '\\&',
  '%': '\\%',
  $: '\\$',
  '#': '\\#',
  _: '\\_',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
  '<': '\\textless{}',
  '>': '\\textgreater{}',
  '−': '$-$',
  '±': '$\\pm$',
  '’': "'",
  '–': '--',
  // At the start of a row after \\ a bracket would be taken for an option.
  '[': '{[}',
  ']': '{]}',
};

export function escapeLatex(text: string): string {
  return printable(text.replace(/\s+/g, ' ')).replace(/[\\{}&%$#_~^<>−±’–[\]]/g, (character) => ESCAPES[character]!);
}
