/** The files of a folder and of all folders in it, of which none is visited twice: links may lead in a circle. */
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * Every file below a folder, by its path from there. Symbolic links are followed. A folder is visited under its own name where it lies below the root, and under
 * the name of a link where only that leads to it.
 * @param leftOut names of folders that are not visited
 * @throws the system's error for a folder that cannot be read
 */
export async function filesBelow(root: string, leftOut: readonly string[] = []): Promise<string[]> {
  const files: string[] = [];
  const visited = new Set<string>();
  const links: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    const place = path.join(root, folder);
    const own = await realpath(place);
    if (visited.has(own)) return;
    visited.add(own);
    const entries = (await readdir(place, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const name = path.join(folder, entry.name);
      const isLink = entry.isSymbolicLink();
      // A link to nothing is a file that cannot be read.
      const isFolder = isLink
        ? ((await stat(path.join(root, name)).catch(() => undefined))?.isDirectory() ?? false)
        : entry.isDirectory();
      if (!isFolder) files.push(name);
      else if (leftOut.includes(entry.name)) continue;
      else if (isLink) links.push(name);
      else await visit(name);
    }
  };
  await visit('');
  // Behind all that is no link, so that a folder keeps its own name. What they lead to may hold links, too.
  for (const link of links) await visit(link);
  return files;
}
