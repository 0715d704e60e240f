/** A table on the standard output. */

/** @param textColumns those before the numbers */
export async function printTable(titles: readonly string[], rows: string[][], textColumns: number): Promise<void> {
  const { renderText } = await import('../report/tables/table.js');
  const columns = titles.map((title, i) => ({ title, numeric: i >= textColumns }));
  process.stdout.write(`${renderText({ columns, rows })}\n`);
}
