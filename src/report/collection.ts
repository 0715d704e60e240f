/** The reports of several runs below one folder as pages that lead to each other, and their index. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DkvError } from '../base/errors.js';
import { publish } from '../base/files.js';
import { holdsFinishedRun } from '../runs/run-folder.js';
import type { ReportLink, ReportLinks } from './formats/links.js';
import { addressFrom, collectRuns, LOG_TITLE, logHtml } from './log.js';

const INDEX = 'index.html';

/**
 * What the report of one of several runs leads to: the index and the finished runs before and after it.
 * @param folders all of them, in their order
 */
export function linksAmong(folders: readonly string[], folder: string, root: string): ReportLinks {
  const finished = folders.filter(holdsFinishedRun);
  const at = finished.indexOf(folder);
  const [before, after] = at < 0 ? [] : [linkTo(finished[at - 1]), linkTo(finished[at + 1])];
  return {
    index: addressFrom(folder, path.join(root, INDEX)),
    ...(before && { before }),
    ...(after && { after }),
  };

  function linkTo(other: string | undefined): ReportLink | undefined {
    if (other === undefined) return undefined;
    return { title: path.relative(root, other), href: addressFrom(folder, path.join(other, 'report.html')) };
  }
}

/**
 * Writes the log of the runs below a folder as its index.html, which leads to every report that is there.
 * @returns the file
 * @throws DkvError INPUT_INVALID where another page has that name
 */
export async function writeIndex(root: string): Promise<string> {
  const file = path.join(root, INDEX);
  if (existsSync(file) && !(await readFile(file, 'utf8')).includes(`<title>${LOG_TITLE}</title>`)) {
    throw new DkvError(
      'INPUT_INVALID',
      `${file} is a page of something else and stays as it is; the reports below ${root} are written. Move it away and start again for their index.`,
    );
  }
  await publish(file, logHtml(await collectRuns(root), root, root));
  return file;
}
