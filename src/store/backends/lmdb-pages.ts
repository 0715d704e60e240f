/** Lists of an embedded store's tables. */
import type { Database } from 'lmdb';
import type { LmdbTables } from './lmdb-tables.js';

const PAGE = 256;

/** Lists a table page by page. Each page is a transaction of its own, since a long one would keep old pages of the file alive. */
export function* pagesOf(tables: LmdbTables, table: Database<unknown, string>): Generator<string[]> {
  let start: string | undefined;
  for (;;) {
    const range = { limit: PAGE, ...(start !== undefined && { start }) };
    const page = tables.see(() => [...table.getKeys(range)]);
    if (page.length === 0) return;
    yield page;
    // Keys are hex digits of one length: this is just behind the last one.
    start = `${page.at(-1)}!`;
  }
}
