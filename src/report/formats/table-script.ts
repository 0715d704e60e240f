/** The script by which a report's tables are sorted: a click on a column's head, or Enter on it, sorts by it, again the other way round. */
export const TABLE_SCRIPT = `
(() => {
  'use strict';
  // A cell's first number; what has none stands last, whichever way a column is sorted.
  const numberOf = (text) => {
    const found = /[+-]?[0-9.,]*[0-9](e[+-]?[0-9]+)?/.exec(text.replaceAll('\\u2212', '-'));
    return found ? Number(found[0].replaceAll(',', '')) : undefined;
  };
  const compare = (a, b, down) => {
    if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
    return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
  };
  const sort = (head) => {
    const table = head.closest('table');
    const down = head.getAttribute('aria-sort') === 'ascending';
    for (const other of table.querySelectorAll('th')) other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    const valueOf = (row) => {
      const text = row.cells[head.cellIndex].textContent;
      return head.className === 'number' ? numberOf(text) : text;
    };
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, value: valueOf(row) }));
    rows.sort((a, b) => compare(a.value, b.value, down));
    table.tBodies[0].append(...rows.map(({ row }) => row));
  };
  for (const head of document.querySelectorAll('.wide th')) {
    head.tabIndex = 0;
    head.title = 'sort';
    head.addEventListener('click', () => sort(head));
    head.addEventListener('keydown', (event) => { if (event.key === 'Enter') sort(head); });
  }
})();
`;
